#include "service/glob.h"

#include "service/rooted_for_test.h"

namespace certrebind {
namespace {

TEST(GlobMatch, KnowsTheElements) {
  EXPECT_TRUE(glob_match("*.conf", "a.conf"));
  EXPECT_FALSE(glob_match("*.conf", "a.conf~"));
  EXPECT_TRUE(glob_match("a*b*c", "aXbXbc"));
  EXPECT_FALSE(glob_match("a*b*c", "aXc"));
  EXPECT_TRUE(glob_match("?", "x"));
  EXPECT_FALSE(glob_match("?", ""));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("[0-9][!x]", "5y"));
  EXPECT_FALSE(glob_match("[0-9][^x]", "5x"));
  EXPECT_TRUE(glob_match("[]a]", "]"));
  EXPECT_TRUE(glob_match("[a-]", "-"));
  EXPECT_TRUE(glob_match("[[:digit:]a]", "7"));
  EXPECT_FALSE(glob_match("[[:upper:]]", "a"));
  EXPECT_TRUE(glob_match("[", "["));
  EXPECT_TRUE(glob_match("[a", "[a"));
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("\\*", "a"));
  EXPECT_TRUE(glob_match("\xff*", "\xff\xfe"));
}

TEST(GlobMatch, TakesALeadingDotOnlyForADot) {
  EXPECT_FALSE(glob_match("*", ".a"));
  EXPECT_FALSE(glob_match("?a", ".a"));
  EXPECT_FALSE(glob_match("[.]a", ".a"));
  EXPECT_TRUE(glob_match(".*", ".a"));
  EXPECT_TRUE(glob_match("a*", "a.b"));
}

TEST(ExpandGlob, SortsWholePaths) {
  Rooted view(Texts{{"/c/a/x", ""}, {"/c/a-b/x", ""}, {"/c/b/y", ""}, {"/c/.d/x", ""}});
  EXPECT_EQ(expand_glob("/c/*/x", view.root), (Lines{"/c/a-b/x", "/c/a/x"}));
  EXPECT_EQ(expand_glob("/c/*/*", view.root), (Lines{"/c/a-b/x", "/c/a/x", "/c/b/y"}));
  EXPECT_EQ(expand_glob("/c//[b]/?", view.root), (Lines{"/c//b/y"}));
  EXPECT_EQ(expand_glob("/nowhere/*", view.root), Lines{});
}

TEST(ExpandGlob, GoesThroughLinksOfTheServersRoot) {
  Rooted view(Texts{{"/jail/sites/a.conf", ""}}, "/jail");
  view.files.put_link("/jail/enabled", "/sites");
  EXPECT_EQ(expand_glob("/enabled/*.conf", view.root), (Lines{"/enabled/a.conf"}));
}

}  // namespace
}  // namespace certrebind
