#include "sys/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace certrebind {

namespace {

// A file descriptor that is closed once, and in the ordinary way. Closing with a reset
// (SO_LINGER 0) would leave no TIME_WAIT behind, but servers log it as a failed handshake; and
// 40,000 handshakes in a row with one address went through without: with TLS 1.3 the server's late
// tickets end the connection anyhow, with TLS 1.2 Linux takes ports in TIME_WAIT up again
// (net.ipv4.tcp_tw_reuse).
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// An address as the system calls take it.
struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::unexpected<Error> failed(std::string doing, const std::string& subject, int error) {
  return fail(error == ETIMEDOUT ? Code::timed_out : Code::failed, std::move(doing), subject,
              std::strerror(error));
}

std::unexpected<Error> too_late(std::string doing, const std::string& subject) {
  return fail(Code::timed_out, std::move(doing), subject, "no answer in time");
}

Result<SystemAddress> unix_address(const Address& address) {
  SystemAddress system;
  auto* where = reinterpret_cast<sockaddr_un*>(&system.storage);
  const std::string& path = address.unix_path;
  if (path.size() >= sizeof where->sun_path)
    return failed("connect to", address.text(), ENAMETOOLONG);
  where->sun_family = AF_UNIX;
  std::memcpy(where->sun_path, path.data(), path.size());
  // An abstract name begins with a zero byte and ends where its size says; a path ends in zero.
  bool is_abstract = path.front() == '@';
  if (is_abstract) where->sun_path[0] = '\0';
  system.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return system;
}

Result<SystemAddress> ip_address(const Address& address) {
  SystemAddress system;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&system.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&system.storage);
  std::string host = address.host.substr(0, address.host.find('%'));
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    system.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    if (host.size() < address.host.size())  // "fe80::1%eth0"
      v6->sin6_scope_id = if_nametoindex(address.host.c_str() + host.size() + 1);
    system.size = sizeof *v6;
  } else {
    return fail(Code::failed, "connect to", address.text(), "it is not an IP address");
  }
  return system;
}

// Waits until the socket is ready; false at the deadline. Errors show in the call that follows.
bool wait_for(int fd, short events, SteadyTime deadline) {
  while (true) {
    auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    // poll takes an int: a longer wait is taken in pieces.
    int timeout = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
    int ready = poll(&entry, 1, timeout);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (left.count() <= 0) return false;
  }
}

class SystemStream final : public Stream {
 public:
  SystemStream(Socket socket, std::string peer)
      : socket_(std::move(socket)), peer_(std::move(peer)) {}

  // Waits before it reads: an answer is never there yet, so reading first would be in vain.
  Result<std::string> read(SteadyTime deadline) override {
    std::array<char, 16384> buffer;
    while (true) {
      if (!wait_for(socket_.fd(), POLLIN, deadline)) return too_late("read from", peer_);
      ssize_t size = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
      if (size >= 0) return std::string(buffer.data(), static_cast<size_t>(size));
      if (errno != EAGAIN && errno != EINTR) return failed("read from", peer_, errno);
    }
  }

  std::optional<uint32_t> peer_user() const override {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(socket_.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0)
      return std::nullopt;
    return peer.uid;
  }

  Done write(std::string_view bytes, SteadyTime deadline) override {
    while (!bytes.empty()) {
      ssize_t size = send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) {
        bytes.remove_prefix(static_cast<size_t>(size));
      } else if (errno == EAGAIN) {
        if (!wait_for(socket_.fd(), POLLOUT, deadline)) return too_late("write to", peer_);
      } else if (errno != EINTR) {
        return failed("write to", peer_, errno);
      }
    }
    return {};
  }

 private:
  Socket socket_;
  std::string peer_;
};

// Starts to connect, and waits for the outcome.
Done establish(const Socket& socket, const SystemAddress& to, const std::string& peer,
               SteadyTime deadline) {
  // A UNIX socket whose queue is full says EAGAIN, and nothing tells when to come again.
  while (connect(socket.fd(), to.get(), to.size) != 0) {
    if (errno == EAGAIN && to.storage.ss_family == AF_UNIX) {
      if (std::chrono::steady_clock::now() >= deadline) return too_late("connect to", peer);
      std::this_thread::sleep_for(milliseconds(1));
      continue;
    }
    if (errno != EINPROGRESS && errno != EINTR) return failed("connect to", peer, errno);
    if (!wait_for(socket.fd(), POLLOUT, deadline)) return too_late("connect to", peer);
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed("connect to", peer, error);
    break;
  }
  return {};
}

}  // namespace

std::string Address::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::unique_ptr<Stream>> SystemNetwork::connect(const Address& address,
                                                       SteadyTime deadline) const {
  auto to = address.unix_path.empty() ? ip_address(address) : unix_address(address);
  if (!to) return pass(to);
  std::string peer = address.text();
  Socket socket(::socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return failed("connect to", peer, errno);
  // What we write is always a whole message: nothing is gained by waiting for more.
  int on = 1;
  if (address.unix_path.empty()) setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (auto done = establish(socket, *to, peer, deadline); !done) return pass(done);
  return std::make_unique<SystemStream>(std::move(socket), std::move(peer));
}

}  // namespace certrebind
