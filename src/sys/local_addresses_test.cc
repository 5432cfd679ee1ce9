#include "sys/local_addresses.h"

#include <gtest/gtest.h>

#include "sys/memory_files.h"

namespace certrebind {
namespace {

constexpr const char* kIpv4 =
    "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
    "     +-- 127.0.0.0/8 2 0 2\n        |-- 127.0.0.0\n           /8 host LOCAL\n"
    "     |-- 192.0.2.0\n        /24 link UNICAST\n"
    "     |-- 192.0.2.1\n        /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n"
    "     |-- 198.51.100.0\n        /25 host LOCAL\n";
constexpr const char* kIpv6 =
    "20010db8000000000000000000000001 80 00000000000000000000000000000000 00 "
    "00000000000000000000000000000000 00000000 00000004 00000000 80200001       lo\n"
    "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
    "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n";

TEST(LocalAddresses, KnowsTheMachinesOwn) {
  LocalAddresses local(kIpv4, kIpv6);
  for (const char* own :
       {"127.0.0.1", "127.9.9.9", "192.0.2.1", "198.51.100.127", "2001:db8::1", "::ffff:192.0.2.1"})
    EXPECT_TRUE(local.has(own)) << own;
  for (const char* other : {"192.0.2.2", "192.0.2.255", "198.51.100.128", "2001:db8::2", "::1"})
    EXPECT_FALSE(local.has(other)) << other;
  EXPECT_TRUE(local.has("a.example")) << "not an address";
}

TEST(LocalAddresses, AreUnknownWithoutProc) {
  MemoryFiles files;
  EXPECT_FALSE(LocalAddresses::of(files, 7));
}

}  // namespace
}  // namespace certrebind
