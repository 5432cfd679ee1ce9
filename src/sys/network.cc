#include "sys/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "base/text.h"
#include "sys/disk.h"

namespace certrebind {

namespace {

// A file descriptor that is closed once, in the ordinary way. Closing with a reset (SO_LINGER 0)
// would avoid TIME_WAIT, but servers log a reset as a failed handshake. 40,000 successive
// handshakes with one address worked without it. With TLS 1.3 the server's late tickets end the
// connection anyway; with TLS 1.2 Linux reuses ports in TIME_WAIT (net.ipv4.tcp_tw_reuse).
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

// An address as a sockaddr.
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
  // An abstract name begins with a zero byte and its end is given by the size; a path ends with a
  // zero byte.
  bool is_abstract = path.front() == '@';
  static_assert(sizeof where->sun_path == kLongestUnixPath);
  if (path.size() + (is_abstract ? 0 : 1) > kLongestUnixPath)
    return failed("connect to", address.text(), ENAMETOOLONG);
  where->sun_family = AF_UNIX;
  std::memcpy(where->sun_path, path.data(), path.size());
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

// Waits until the socket is ready. False at the deadline. The next call reports errors.
bool wait_for(int fd, short events, SteadyTime deadline) {
  while (true) {
    auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    // poll takes an int, so a longer wait is split.
    int timeout = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
    int ready = poll(&entry, 1, timeout);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (left.count() <= 0) return false;
  }
}

// An address as net/tcp and net/tcp6 print it: each 32 bits as a number in host byte order.
std::string table_form(const void* address, size_t size, uint16_t port) {
  std::array<uint32_t, 4> words{};
  std::memcpy(words.data(), address, size);
  std::string text;
  for (size_t i = 0; i < size / sizeof(uint32_t); ++i) text += fmt::format("{:08X}", words[i]);
  return fmt::format("{}:{:04X}", text, port);
}

// A line of net/tcp or net/tcp6 (proc(5)).
struct TableLine {
  std::string local, remote, state;
  uint32_t user = 0;
};

std::vector<TableLine> tcp_tables() {
  constexpr size_t kLocal = 1, kRemote = 2, kState = 3, kUser = 7;
  std::vector<TableLine> lines;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    auto text = Disk().read(table, kConfigLimit);
    if (!text) continue;
    for (const std::string& line : split(*text, '\n')) {
      std::vector<std::string> words = split(line, ' ');
      std::erase(words, "");
      if (words.size() > kUser)
        lines.push_back({words[kLocal], words[kRemote], words[kState],
                         static_cast<uint32_t>(std::strtoul(words[kUser].c_str(), nullptr, 10))});
    }
  }
  return lines;
}

// An address in the forms of both tables. An IPv6 socket may accept connections to an IPv4 address,
// even if it is bound to that one address ("::ffff:127.0.0.1").
struct TableForms {
  std::vector<std::string> exact, any;
};

TableForms forms_of(const SystemAddress& address) {
  TableForms forms;
  std::array<uint8_t, 16> six{};
  auto add = [&](std::vector<std::string>& to, const void* bytes, size_t size, uint16_t port) {
    to.push_back(table_form(bytes, size, port));
  };
  if (address.get()->sa_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    add(forms.exact, &in->sin6_addr, six.size(), ntohs(in->sin6_port));
    add(forms.any, six.data(), six.size(), ntohs(in->sin6_port));
  } else if (address.get()->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&address.storage);
    const in_addr any{};
    const uint16_t port = ntohs(in->sin_port);
    add(forms.exact, &in->sin_addr, sizeof any, port);
    add(forms.any, &any, sizeof any, port);
    add(forms.any, six.data(), six.size(), port);
    constexpr size_t kMarks = 10;  // of an IPv4-mapped address (RFC 4291 section 2.5.5.2)
    six[kMarks] = six[kMarks + 1] = 0xFF;
    std::memcpy(six.data() + kMarks + 2, &in->sin_addr, sizeof any);
    add(forms.exact, six.data(), six.size(), port);
  }
  return forms;
}

bool contains(const std::vector<std::string>& forms, const std::string& form) {
  return std::ranges::find(forms, form) != forms.end();
}

// The user of the server that accepted this connection. All sockets that listen there must belong
// to one user, and so must the accepted socket, if it exists. Unset if this is not certain.
std::optional<uint32_t> tcp_peer_user(const SystemAddress& peer, const SystemAddress& own) {
  constexpr const char* kListening = "0A";
  const TableForms theirs = forms_of(peer), ours = forms_of(own);
  std::optional<uint32_t> user;
  const std::vector<TableLine> lines = tcp_tables();
  for (const TableLine& line : lines) {
    bool could = contains(theirs.exact, line.local) || contains(theirs.any, line.local);
    if (line.state != kListening || !could) continue;
    if (user && *user != line.user) return std::nullopt;
    user = line.user;
  }
  // A connection that is not accepted yet is shown as root's.
  for (const TableLine& line : lines)
    if (line.state != kListening && contains(theirs.exact, line.local) &&
        contains(ours.exact, line.remote) && line.user != 0 && line.user != user)
      return std::nullopt;
  return user;
}

class SystemStream final : public Stream {
 public:
  SystemStream(Socket socket, std::string peer)
      : socket_(std::move(socket)), peer_(std::move(peer)) {}

  // Waits before reading. The answer is never there yet, so reading first would only waste a call.
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
    if (getsockopt(socket_.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid != 0)
      return peer.uid;
    SystemAddress theirs, ours;
    theirs.size = ours.size = sizeof theirs.storage;
    auto* peer_at = reinterpret_cast<sockaddr*>(&theirs.storage);
    auto* own_at = reinterpret_cast<sockaddr*>(&ours.storage);
    if (getpeername(socket_.fd(), peer_at, &theirs.size) != 0 ||
        getsockname(socket_.fd(), own_at, &ours.size) != 0)
      return std::nullopt;
    return tcp_peer_user(theirs, ours);
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

// A socket in the network namespace of a process: it belongs to the namespace of the thread that
// makes it, and setns(2) changes that of the thread only. As socket(2).
int socket_near(int pid, int family, int kind) {
  int made = -1, error = 0;
  std::jthread([&] {
    const int network = ::open(fmt::format("/proc/{}/ns/net", pid).c_str(), O_RDONLY | O_CLOEXEC);
    if (network >= 0 && ::setns(network, CLONE_NEWNET) == 0) made = ::socket(family, kind, 0);
    error = errno;
    if (network >= 0) ::close(network);
  }).join();
  errno = error;
  return made;
}

// Starts the connection and waits for the result.
Done establish(const Socket& socket, const SystemAddress& to, const std::string& peer,
               SteadyTime deadline) {
  // A UNIX socket with a full queue returns EAGAIN, and no event tells when to retry.
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
  // Does not print the zero padding of an abstract name.
  if (!unix_path.empty()) return "unix:" + unix_path.substr(0, unix_path.find('\0'));
  bool is_v6 = host.find(':') != std::string::npos;
  std::string text = is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  if (network_of != 0) text += fmt::format(" (network of process {})", network_of);
  return text;
}

Result<std::unique_ptr<Stream>> SystemNetwork::connect(const Address& address,
                                                       SteadyTime deadline) const {
  auto to = address.unix_path.empty() ? ip_address(address) : unix_address(address);
  if (!to) return pass(to);
  std::string peer = address.text();
  const int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Socket socket(address.network_of == 0
                    ? ::socket(to->storage.ss_family, kind, 0)
                    : socket_near(address.network_of, to->storage.ss_family, kind));
  if (socket.fd() < 0) return failed("connect to", peer, errno);
  // Each write is a whole message, so delaying it (Nagle) gains nothing.
  int on = 1;
  if (address.unix_path.empty()) setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (auto done = establish(socket, *to, peer, deadline); !done) return pass(done);
  return std::make_unique<SystemStream>(std::move(socket), std::move(peer));
}

// An IPv6 wildcard is tried for IPv6 only. Its IPv4 part is checked separately.
Done SystemNetwork::try_listen(const Address& address, bool shared) const {
  auto at = ip_address(address);
  if (!at) return {};
  Socket socket(::socket(at->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return {};
  int on = 1;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (at->storage.ss_family == AF_INET6)
    setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(socket.fd(), at->get(), at->size) == 0) return {};
  int error = errno;
  bool wildcard = address.host == "0.0.0.0" || address.host == "::";
  if (error == EADDRINUSE)
    return fail(Code::busy, "listen on", address.text(), "another program listens there");
  // A machine without IPv6 has no "::" either, and servers work without it.
  if (error == EADDRNOTAVAIL && !wildcard)
    return fail(Code::not_found, "listen on", address.text(), "this machine has no such address");
  return {};
}

}  // namespace certrebind
