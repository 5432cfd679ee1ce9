#include "sys/network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace certrebind {
namespace {

SteadyTime in(milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

// A listener of this process, closed at the end.
struct Listener {
  int fd;
  Address address;
  Listener(int socket, Address at) : fd(socket), address(std::move(at)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(fd); }
};

Listener tcp_listener() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(listen(fd, 8), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return {fd, {.host = "127.0.0.1", .port = ntohs(at.sin_port), .unix_path = {}}};
}

Listener abstract_listener() {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string name = "@certrebind-test-" + std::to_string(getpid());
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path + 1, name.data() + 1, name.size() - 1);
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(listen(fd, 8), 0);
  return {fd, {.host = {}, .port = 0, .unix_path = name}};
}

TEST(Address, Text) {
  EXPECT_EQ((Address{.host = "127.0.0.1", .port = 443, .unix_path = {}}).text(), "127.0.0.1:443");
  EXPECT_EQ((Address{.host = "::1", .port = 443, .unix_path = {}}).text(), "[::1]:443");
  EXPECT_EQ((Address{.host = {}, .port = 0, .unix_path = "/run/x"}).text(), "unix:/run/x");
}

void expect_conversation(const Listener& listener) {
  auto stream = SystemNetwork().connect(listener.address, in(milliseconds(1000)));
  ASSERT_TRUE(stream) << stream.error().message();
  int peer = accept(listener.fd, nullptr, nullptr);
  ASSERT_TRUE((*stream)->write("hello", in(milliseconds(1000))));
  char buffer[16];
  ASSERT_EQ(recv(peer, buffer, sizeof buffer, 0), 5);
  EXPECT_EQ((*stream)->read(in(milliseconds(20))).error().code, Code::timed_out);
  ASSERT_EQ(send(peer, "you", 3, 0), 3);
  EXPECT_EQ(*(*stream)->read(in(milliseconds(1000))), "you");
  close(peer);
  EXPECT_EQ(*(*stream)->read(in(milliseconds(1000))), "");
}

// Listens as the current user on an IPv6 address; a wildcard accepts IPv4 too.
Listener tcp6_listener(const in6_addr& where) {
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  at.sin6_addr = where;
  socklen_t size = sizeof at;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(listen(fd, 8), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return {fd, {.host = "::1", .port = ntohs(at.sin6_port), .unix_path = {}}};
}

TEST(SystemNetwork, KnowsWhoListens) {
  const uid_t own = geteuid();
  for (uid_t user : own == 0 ? std::vector<uid_t>{0, 65534} : std::vector<uid_t>{own}) {
    ASSERT_EQ(seteuid(user), 0);
    Listener four = tcp_listener(), six = tcp6_listener(in6addr_loopback),
             any = tcp6_listener(in6addr_any), unix_socket = abstract_listener();
    ASSERT_EQ(seteuid(own), 0);
    Address mapped{.host = "127.0.0.1", .port = any.address.port, .unix_path = {}};
    for (const Address& address :
         {four.address, six.address, any.address, mapped, unix_socket.address}) {
      auto stream = SystemNetwork().connect(address, in(milliseconds(1000)));
      ASSERT_TRUE(stream) << stream.error().message();
      EXPECT_EQ((*stream)->peer_user(), user) << address.text();
    }
  }
}

TEST(SystemNetwork, TellsWhereAServerCouldListen) {
  SystemNetwork network;
  auto code = [&](const char* host, uint16_t port, bool shared = false) {
    Done free = network.try_listen({host, port, ""}, shared);
    return free ? std::nullopt : std::optional(free.error().code);
  };
  uint16_t port = 0;
  {
    Listener four = tcp_listener();
    port = four.address.port;
    EXPECT_EQ(code("127.0.0.1", port), Code::busy);
    EXPECT_EQ(code("127.0.0.1", port, true), Code::busy) << "the other does not share it";
    EXPECT_EQ(code("0.0.0.0", port), Code::busy);
    EXPECT_EQ(code("127.0.0.2", port), std::nullopt);
    EXPECT_EQ(code("::", port), std::nullopt) << "IPv6 alone";
  }
  EXPECT_EQ(code("127.0.0.1", port), std::nullopt);
  Listener six = tcp6_listener(in6addr_any);
  EXPECT_EQ(code("::1", six.address.port), Code::busy);
  EXPECT_EQ(code("127.0.0.1", six.address.port), Code::busy) << "it takes IPv4 too";
  EXPECT_EQ(code("192.0.2.1", 1024), Code::not_found);
  EXPECT_EQ(code("www.example.com", 1024), std::nullopt) << "not an address";
}

TEST(SystemNetwork, ConversesOverTcp) {
  expect_conversation(tcp_listener());
}

TEST(SystemNetwork, ConversesOverAnAbstractSocket) {
  expect_conversation(abstract_listener());
}

TEST(SystemNetwork, WritesMoreThanTheKernelHolds) {
  Listener listener = tcp_listener();
  auto stream = SystemNetwork().connect(listener.address, in(milliseconds(1000)));
  ASSERT_TRUE(stream);
  std::string much(64 << 20, 'x');  // nobody reads it
  EXPECT_EQ((*stream)->write(much, in(milliseconds(50))).error().code, Code::timed_out);
}

TEST(SystemNetwork, SaysWhyNot) {
  uint16_t closed = tcp_listener().address.port;  // the temporary listener is closed again
  auto cause = [](Address address) {
    auto stream = SystemNetwork().connect(address, in(milliseconds(500)));
    return stream ? "it connected" : stream.error().cause;
  };
  EXPECT_EQ(cause({.host = "127.0.0.1", .port = closed, .unix_path = {}}), "Connection refused");
  EXPECT_EQ(cause({.host = "localhost", .port = 1, .unix_path = {}}), "it is not an IP address");
  EXPECT_EQ(cause({.host = {}, .port = 0, .unix_path = "/nonexistent"}),
            "No such file or directory");
  EXPECT_EQ(cause({.host = {}, .port = 0, .unix_path = std::string(200, 'x')}),
            "File name too long");
}

}  // namespace
}  // namespace certrebind
