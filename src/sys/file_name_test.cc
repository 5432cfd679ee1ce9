#include "sys/file_name.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(FileName, KnowsTheElements) {
  EXPECT_TRUE(file_name_matches("*.conf", "a.conf"));
  EXPECT_FALSE(file_name_matches("*.conf", "a.conf~"));
  EXPECT_TRUE(file_name_matches("a*b*c", "aXbXbc"));
  EXPECT_FALSE(file_name_matches("a*b*c", "aXc"));
  EXPECT_TRUE(file_name_matches("?", "x"));
  EXPECT_FALSE(file_name_matches("?", ""));
  EXPECT_TRUE(file_name_matches("*", ""));
  EXPECT_TRUE(file_name_matches("[0-9][!x]", "5y"));
  EXPECT_FALSE(file_name_matches("[0-9][^x]", "5x"));
  EXPECT_TRUE(file_name_matches("[]a]", "]"));
  EXPECT_TRUE(file_name_matches("[a-]", "-"));
  EXPECT_TRUE(file_name_matches("[[:digit:]a]", "7"));
  EXPECT_FALSE(file_name_matches("[[:upper:]]", "a"));
  EXPECT_TRUE(file_name_matches("[", "["));
  EXPECT_TRUE(file_name_matches("[a", "[a"));
  EXPECT_TRUE(file_name_matches("\\*", "*"));
  EXPECT_FALSE(file_name_matches("\\*", "a"));
  EXPECT_TRUE(file_name_matches("\xff*", "\xff\xfe"));
}

TEST(FileName, TakesALeadingDotOnlyForADot) {
  EXPECT_FALSE(file_name_matches("*", ".a"));
  EXPECT_FALSE(file_name_matches("?a", ".a"));
  EXPECT_FALSE(file_name_matches("[.]a", ".a"));
  EXPECT_TRUE(file_name_matches(".*", ".a"));
  EXPECT_TRUE(file_name_matches("a*", "a.b"));
}

}  // namespace
}  // namespace certrebind
