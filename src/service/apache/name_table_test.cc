#include "service/apache/name_table.h"

#include <gtest/gtest.h>

namespace certrebind::apache {
namespace {

TEST(ApacheNameTable, TheFirstThatHasTheNameAnswers) {
  NameTable table;
  table.add("a.test", 0);
  table.add("*.x.test", 1);
  table.add("b.x.test", 2);
  table.add("w?w*", 3);
  table.add("www.test", 4);
  EXPECT_EQ(table.find("a.test"), 0u);
  EXPECT_EQ(table.find("b.x.test"), 1u);
  EXPECT_EQ(table.find("c.d.x.test"), 1u);
  EXPECT_EQ(table.find("x.test"), std::nullopt);
  EXPECT_EQ(table.find("www.test"), 3u);
  EXPECT_EQ(table.find("none"), std::nullopt);
}

TEST(ApacheNameTable, Patterns) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("a*c*e", "abcde"));
  EXPECT_TRUE(matches_pattern("a?c", "abc"));
  EXPECT_FALSE(matches_pattern("a?c", "ac"));
  EXPECT_FALSE(matches_pattern("a*b", "abc"));
}

}  // namespace
}  // namespace certrebind::apache
