#include "x509/name_match.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(Covers, ExactNames) {
  EXPECT_TRUE(covers("www.example.com", "WWW.Example.com"));
  EXPECT_TRUE(covers("www.example.com", "www.example.com."));
  EXPECT_TRUE(covers("localhost", "localhost"));
  EXPECT_FALSE(covers("example.com", "www.example.com"));
  EXPECT_FALSE(covers("", ""));
  EXPECT_FALSE(covers("", "."));
}

TEST(Covers, WildcardsCoverOneLabel) {
  EXPECT_TRUE(covers("*.example.com", "www.EXAMPLE.com"));
  EXPECT_FALSE(covers("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(covers("*.example.com", "example.com"));
  EXPECT_FALSE(covers("*.example.com", ".example.com"));
  EXPECT_FALSE(covers("*.com", "example.com"));
  EXPECT_FALSE(covers("*", "localhost"));
  EXPECT_FALSE(covers("w*.example.com", "www.example.com"));
  EXPECT_FALSE(covers("www.*.com", "www.example.com"));
}

TEST(Covers, WildcardNamesAreCoveredByTheSameWildcard) {
  EXPECT_TRUE(covers("*.example.com", "*.Example.com"));
  EXPECT_FALSE(covers("*.example.com", "*.www.example.com"));
  EXPECT_FALSE(covers("www.example.com", "*.example.com"));
  EXPECT_FALSE(covers("*.b.example.com", "*.example.com"));
}

TEST(Covers, AddressesByValueAndNeverByWildcard) {
  EXPECT_TRUE(covers("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(covers("*.0.2.1", "192.0.2.1"));
  EXPECT_TRUE(covers("2001:db8::1", "2001:DB8:0:0:0:0:0:1"));
  EXPECT_TRUE(covers("::1", "[::1]"));
  EXPECT_FALSE(covers("::1", "::2"));
  EXPECT_FALSE(covers("www.example.com", "::1"));
}

TEST(Covers, AnyOfSeveral) {
  EXPECT_TRUE(covers(std::vector<std::string>{"a.test", "*.b.test"}, "x.b.test"));
  EXPECT_FALSE(covers(std::vector<std::string>{}, "x.b.test"));
}

}  // namespace
}  // namespace certrebind
