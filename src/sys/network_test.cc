#include "sys/network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

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
  uint16_t closed = tcp_listener().address.port;  // the listener is gone by then
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
