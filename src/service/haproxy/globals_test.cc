#include "service/haproxy/globals.h"

#include <gtest/gtest.h>

#include "service/rooted_for_test.h"

namespace certrebind::haproxy {
namespace {

std::string shown(const BindAddress& address) {
  using Family = BindAddress::Family;
  std::string family = address.family == Family::ipv4    ? "4"
                       : address.family == Family::ipv6  ? "6"
                       : address.family == Family::other ? "?"
                                                         : "u";
  std::string what =
      address.path.empty() ? address.host + "|" + std::to_string(address.port) : address.path;
  return family + (address.quic ? "q " : " ") + what + (address.unknown.empty() ? "" : " !");
}

std::vector<std::string> parsed(std::string_view text) {
  std::vector<std::string> found;
  for (const BindAddress& address : parse_addresses(text, "/pre")) found.push_back(shown(address));
  return found;
}

TEST(HaproxyAddresses, EveryKind) {
  EXPECT_EQ(parsed(":443"), Lines{"4 |443"});
  EXPECT_EQ(parsed("*:443"), Lines{"4 |443"});
  EXPECT_EQ(parsed("0.0.0.0:443"), Lines{"4 |443"});
  EXPECT_EQ(parsed("10.0.0.1:443,[::1]:8443"), (Lines{"4 10.0.0.1|443", "6 ::1|8443"}));
  EXPECT_EQ(parsed(":::443"), Lines{"6 |443"});
  EXPECT_EQ(parsed("[::]:443"), Lines{"6 |443"});
  EXPECT_EQ(parsed("2001:db8::1:443"), Lines{"6 2001:db8::1|443"});
  EXPECT_EQ(parsed("ipv6@:443"), Lines{"6 |443"});
  EXPECT_EQ(parsed("ipv4@127.0.0.1:1"), Lines{"4 127.0.0.1|1"});
  EXPECT_EQ(parsed("quic4@:443"), Lines{"4q |443"});
  EXPECT_EQ(parsed("www.example.com:443"), Lines{"? www.example.com|443"});
}

TEST(HaproxyAddresses, TypesOfSocketsBeforeThem) {
  EXPECT_EQ(parsed("stream+ipv4@127.0.0.1:1"), Lines{"4 127.0.0.1|1"});
  EXPECT_EQ(parsed("stream+127.0.0.1:1"), Lines{"4 127.0.0.1|1"});
  EXPECT_EQ(parsed("stream+unix@/x"), Lines{"u /pre/x"});
  EXPECT_EQ(parsed("stream+/x"), Lines{"u /pre/x"});
  EXPECT_EQ(parsed("stream+:::1"), Lines{"6 |1"});
  EXPECT_EQ(parsed("quic+ipv4@:1"), Lines{"4q |1"});
  EXPECT_EQ(parsed("quic+ipv6@:1"), Lines{"6q |1"});
  EXPECT_EQ(parsed("ip@127.0.0.1:1"), Lines{"4 127.0.0.1|1"});
  EXPECT_EQ(parsed("ip@::1:1"), Lines{"6 ::1|1"});
  EXPECT_EQ(parsed("mptcp@127.0.0.1:1"), Lines{"4 127.0.0.1|1"});
  EXPECT_EQ(parsed("mptcp6@:1"), Lines{"6 |1"});
  EXPECT_EQ(parsed("rhttp@x/y"), Lines{"? |0 !"});
}

TEST(HaproxyAddresses, Sockets) {
  EXPECT_EQ(parsed("/run/x"), Lines{"u /pre/run/x"});
  EXPECT_EQ(parsed("unix@run/x"), Lines{"u /prerun/x"});
  EXPECT_EQ(parsed("abnsz@name"), Lines{"u @name"});
  EXPECT_EQ(parsed("abns@name"), Lines{"u @name" + std::string(103, '\0')}) << "108 in all";
  EXPECT_EQ((Address{"", 0, parse_addresses("abns@name", "")[0].path}.text()), "unix:@name");
  EXPECT_EQ(parsed("fd@3"), Lines{"? |0 !"});
  EXPECT_EQ(parsed("sockpair@3"), Lines{"? |0 !"});
}

TEST(HaproxyAddresses, RangesOfPorts) {
  EXPECT_EQ(parsed("127.0.0.1:443-445"),
            (Lines{"4 127.0.0.1|443", "4 127.0.0.1|444", "4 127.0.0.1|445"}));
  EXPECT_EQ(parse_addresses(":1-2", "")[1].text, ":2");
  for (const char* wrong : {":445-443", ":x", ":1-", ":99999", "host", ":0-65535"})
    EXPECT_TRUE(parsed(wrong)[0].ends_with("!")) << wrong;
}

Globals globals_of(const std::string& text, const std::string& hosts = "") {
  Rooted rooted({{"/h.cfg", text}, {"/etc/hosts", hosts}});
  Started started;
  started.paths = {"/h.cfg"};
  started.directory = "/work";
  auto config = read_config(started, rooted.root);
  return read_globals(*config, rooted.root);
}

TEST(HaproxyGlobals, ASocketMayBeGivenByName) {
  Globals globals = globals_of("global\n stats socket localhost:9999 level admin\n",
                               "127.0.0.1 LocalHost\n::1 localhost\n192.0.2.1 localhost\n");
  ASSERT_EQ(globals.admin_sockets.size(), 2U);
  EXPECT_EQ(globals.admin_sockets[0].text(), "127.0.0.1:9999");
  EXPECT_EQ(globals.admin_sockets[1].text(), "[::1]:9999");
}

TEST(HaproxyGlobals, OnlySocketsOfLevelAdminOnThisMachine) {
  Globals globals = globals_of(
      "global\n stats socket /run/user.sock\n stats socket /run/op.sock level operator\n"
      " stats socket ipv4@192.0.2.1:9999 level admin\n stats socket fd@3 level admin\n"
      " stats socket /run/a.sock mode 660 level admin expose-fd listeners\n"
      " stats socket ipv4@127.0.0.1:9999 level admin\n");
  ASSERT_EQ(globals.admin_sockets.size(), 2U);
  EXPECT_EQ(globals.admin_sockets[0].text(), "unix:/run/a.sock");
  EXPECT_EQ(globals.admin_sockets[1].text(), "127.0.0.1:9999");
}

TEST(HaproxyGlobals, ExtraFilesAndDefaults) {
  Globals globals = globals_of(
      "global\n ssl-load-extra-files key ocsp\n"
      " ssl-load-extra-del-ext\n tune.bufsize 32768\n ssl-default-bind-options strict-sni\n");
  EXPECT_TRUE(globals.extra_key && globals.extra_ocsp && globals.removes_extension);
  EXPECT_FALSE(globals.extra_bundle || globals.extra_issuer || globals.extra_timestamps);
  EXPECT_EQ(globals.buffer_size, 32768U);
  EXPECT_TRUE(globals.strict_sni);
}

}  // namespace
}  // namespace certrebind::haproxy
