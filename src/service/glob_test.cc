#include "service/glob.h"

#include "service/rooted_for_test.h"

namespace certrebind {
namespace {

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
