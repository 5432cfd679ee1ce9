#include "service/haproxy/command_line.h"

#include <gtest/gtest.h>

namespace certrebind::haproxy {
namespace {

using Words = std::vector<std::string>;

TEST(HaproxyCommandLine, FilesInOrder) {
  CommandLine line = parse_arguments({"haproxy", "-Ws", "-f", "a.cfg", "-p", "/run/pid", "-f",
                                      "b.cfg", "c.d", "-S", "/run/m.sock", "--", "d.cfg", "-e"});
  EXPECT_EQ(line.configs, (Words{"a.cfg", "b.cfg", "c.d", "d.cfg", "-e"}));
  EXPECT_TRUE(line.master_worker);
  EXPECT_FALSE(line.one_shot);
}

TEST(HaproxyCommandLine, AReloadedMasterIsTheSame) {
  CommandLine line = parse_arguments({"haproxy", "-sf", "12", "34", "-x", "sockpair@4", "-W", "-C",
                                      "/etc", "-L", "peer", "-f", "a.cfg"});
  EXPECT_EQ(line.configs, Words{"a.cfg"});
  EXPECT_EQ(line.directory, "/etc");
  EXPECT_EQ(line.peer, "peer");
}

TEST(HaproxyCommandLine, WhatIsNoServer) {
  EXPECT_TRUE(parse_arguments({"haproxy", "-c", "-f", "a"}).one_shot);
  EXPECT_TRUE(parse_arguments({"haproxy", "-vv"}).one_shot);
  EXPECT_TRUE(parse_arguments({"haproxy", "-cc", "1"}).one_shot);
  EXPECT_TRUE(parse_arguments({"haproxy"}).configs.empty());
  EXPECT_TRUE(parse_arguments({}).configs.empty());
  EXPECT_TRUE(parse_arguments({"haproxy", "-f"}).configs.empty());
}

}  // namespace
}  // namespace certrebind::haproxy
