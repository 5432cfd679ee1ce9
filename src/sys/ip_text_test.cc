#include "sys/ip_text.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(IpText, MakesEqualAddressesEqual) {
  EXPECT_EQ(canonical_ipv6("::"), "::");
  EXPECT_EQ(canonical_ipv6("::ffff:127.0.0.1"), "::ffff:127.0.0.1");
  EXPECT_EQ(canonical_ipv6("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
  EXPECT_EQ(canonical_ipv6("1::8"), "1::8");
  EXPECT_EQ(canonical_ipv6("0001:0:0:2:0:0:0:3"), "1:0:0:2::3");
  EXPECT_EQ(canonical_ipv6("fe80::"), "fe80::");
  for (const char* wrong :
       {"", "1", ":1", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "::1%lo", ":::"})
    EXPECT_EQ(canonical_ipv6(wrong), std::nullopt) << wrong;
  EXPECT_EQ(canonical_ipv6("::ffff:7f00:1"), "::ffff:127.0.0.1");
  EXPECT_EQ(canonical_ipv4("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(canonical_ipv4("127.0.0.001"), "127.0.0.1");
  EXPECT_EQ(canonical_ip("[2001:DB8::0:1]"), "2001:db8::1");
  EXPECT_EQ(canonical_ip("www.example.com"), "www.example.com");
  for (const char* wrong : {"", "127.1", "1.2.3.256", "1.2.3.", "a.b.c.d", "-1.2.3.4"})
    EXPECT_EQ(canonical_ipv4(wrong), std::nullopt) << wrong;
}

TEST(IpText, WritesWhatACertificateHolds) {
  EXPECT_EQ(ip_text(std::string("\xc0\x00\x02\x01", 4)), "192.0.2.1");
  EXPECT_EQ(ip_text(std::string(15, '\0') + "\x01"), "::1");
  EXPECT_EQ(ip_text("abc"), "616263");
}

}  // namespace
}  // namespace certrebind
