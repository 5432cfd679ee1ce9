#include "service/root.h"

#include "service/rooted_for_test.h"

namespace certrebind {
namespace {

TEST(Root, TranslatesPaths) {
  MemoryFiles files;
  EXPECT_EQ(Root("/", files).on_host("/a"), "/a");
  EXPECT_EQ(Root("/jail/", files).on_host("/a"), "/jail/a");
  EXPECT_EQ(Root("/", files).inside("/a"), "/a");
  EXPECT_EQ(Root("/jail", files).inside("/jail/a"), "/a");
  EXPECT_EQ(Root("/jail", files).inside("/jail"), "/");
  EXPECT_EQ(Root("/jail", files).inside("/jailer/a"), std::nullopt);
}

TEST(Root, FollowsLinksAsTheServerWould) {
  Rooted view(Texts{{"/jail/real/a.pem", ""}, {"/real/a.pem", "the host's"}}, "/jail");
  view.files.put_link("/jail/live/a.pem", "../archive/a1.pem");
  view.files.put_link("/jail/archive", "/real");
  view.files.put_link("/jail/real/a1.pem", "a.pem");
  EXPECT_EQ(view.root.real_path("/live/a.pem").value(), "/jail/real/a.pem");
  EXPECT_EQ(view.root.real_path("/../../real/./a.pem").value(), "/jail/real/a.pem");
  EXPECT_EQ(view.root.real_path("/").value(), "/jail/");
}

TEST(Root, RefusesEndlessLinksAndMissingFiles) {
  Rooted view(Texts{{"/a", ""}});
  view.files.put_link("/x", "y");
  view.files.put_link("/y", "x");
  EXPECT_FALSE(view.root.real_path("/x").has_value());
  EXPECT_EQ(view.root.real_path("/b/c").error().code, Code::not_found);
}

}  // namespace
}  // namespace certrebind
