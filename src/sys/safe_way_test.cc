#include "sys/safe_way.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "sys/disk.h"

namespace certrebind {
namespace {

using testing::HasSubstr;

constexpr uid_t kTenant = 4321;

class SafeWayTest : public testing::Test {
 protected:
  SafeWayTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "certrebind-safe-way-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~SafeWayTest() override { std::filesystem::remove_all(root_); }

  std::string directory(const std::string& name, mode_t mode = 0755) {
    std::string path = root_ + "/" + name;
    EXPECT_TRUE(disk_.make_directory(path, mode));
    return path;
  }
  std::string file(const std::string& path) {
    EXPECT_TRUE(disk_.create(path, "x", {.mode = 0600, .owner = {}, .group = {}, .extended = {}}));
    return path;
  }
  std::string link(const std::string& target, const std::string& path) {
    EXPECT_TRUE(disk_.symlink(target, path));
    return path;
  }
  void give_away(const std::string& path) {
    ASSERT_EQ(::lchown(path.c_str(), kTenant, kTenant), 0);
  }
  // Empty: safe.
  std::string why_not(const std::string& path) {
    Done safe = SafeWay(disk_).to(path);
    return safe ? "" : safe.error().message();
  }

  Disk on_disk_;
  Files& disk_ = on_disk_;
  std::string root_;
};

// The arguments of a set-user-ID program lie in a file of root's, and its caller chose them.
TEST_F(SafeWayTest, NobodyVouchesForDescriptionsOfProcesses) {
  EXPECT_THAT(why_not("/proc/self/cmdline"), HasSubstr("processes"));
  EXPECT_THAT(why_not(link("/proc/1/cmdline", root_ + "/link")), HasSubstr("processes"));
}

TEST_F(SafeWayTest, AGroupThatIsTrustedMayWrite) {
  std::string shared = directory("shared");
  std::string tool = file(shared + "/tool");
  ASSERT_EQ(::chown(shared.c_str(), 0, kTenant), 0);
  ASSERT_EQ(::chmod(shared.c_str(), 0775), 0);
  EXPECT_THAT(why_not(tool), HasSubstr("others may change it"));
  SafeWay way(disk_);
  way.trust_group(kTenant);
  EXPECT_TRUE(way.to_content(tool));
  ASSERT_EQ(::chmod(shared.c_str(), 0777), 0);
  SafeWay again(disk_);
  again.trust_group(kTenant);
  EXPECT_FALSE(again.to_content(tool));
}

TEST_F(SafeWayTest, OwnDirectoriesAreSafeAndWhatIsNotThereToo) {
  std::string own = directory("own");
  EXPECT_EQ(why_not(file(own + "/a")), "");
  EXPECT_EQ(why_not(own + "/none"), "");
  EXPECT_EQ(why_not(own + "/none/deeper"), "");
}

TEST_F(SafeWayTest, AFileOfAnotherInAnOwnDirectoryIsSafe) {
  if (own_user() != 0) GTEST_SKIP() << "only root can give a file away";
  std::string given = file(directory("own") + "/a");
  give_away(given);
  EXPECT_EQ(why_not(given), "");
}

TEST_F(SafeWayTest, ADirectoryOfAnotherIsNot) {
  if (own_user() != 0) GTEST_SKIP() << "only root can give a directory away";
  std::string tenant = directory("tenant"), below = directory("tenant/below");
  std::string deep = file(below + "/a");
  give_away(tenant);
  EXPECT_THAT(why_not(deep), HasSubstr(tenant + ": it belongs to user 4321"));
}

TEST_F(SafeWayTest, ADirectoryThatOthersMayChangeIsNot) {
  std::string open = directory("open", 0777);
  EXPECT_THAT(why_not(file(open + "/a")), HasSubstr("others may change it"));
}

TEST_F(SafeWayTest, AGroupThatMayChangeIsAnother) {
  if (own_user() != 0) GTEST_SKIP() << "only root can give a directory to a group";
  std::string shared = directory("shared", 0775);
  std::string inside = file(shared + "/a");
  EXPECT_EQ(why_not(inside), "") << "root's own group";
  ASSERT_EQ(::lchown(shared.c_str(), 0, kTenant), 0);
  EXPECT_THAT(why_not(inside), HasSubstr("others may change it (group 4321, mode 0775)"));
}

TEST_F(SafeWayTest, WhereEachOwnsHisEntriesOursAreSafe) {
  std::string shared = directory("shared", 01777);
  std::string own = file(shared + "/own");
  EXPECT_EQ(why_not(own), "");
  if (own_user() != 0) GTEST_SKIP() << "only root can give a file away";
  give_away(own);
  EXPECT_THAT(why_not(own), HasSubstr("it belongs to user 4321"));
}

TEST_F(SafeWayTest, EveryLinkIsFollowedAndBothItsPlacesAreLookedAt) {
  std::string own = directory("own"), open = directory("open", 0777), end = file(own + "/end");
  EXPECT_EQ(why_not(link(end, own + "/direct")), "");
  EXPECT_EQ(why_not(link("../own/end", own + "/relative")), "");
  EXPECT_EQ(why_not(link(own, root_ + "/directory") + "/end"), "");
  std::string through = link(end, open + "/through");
  EXPECT_THAT(why_not(through), HasSubstr(open)) << "who may change it leads elsewhere at will";
  EXPECT_THAT(why_not(link(through, own + "/two")), HasSubstr(open));
  EXPECT_THAT(why_not(link(open, own + "/into") + "/x"), HasSubstr(open));
}

TEST_F(SafeWayTest, ALoopOfLinksEnds) {
  std::string own = directory("own");
  link("b", own + "/a");
  link("a", own + "/b");
  EXPECT_THAT(why_not(own + "/a"), HasSubstr("too many links"));
}

TEST_F(SafeWayTest, ARealPathIsGivenOfWhatIsThere) {
  std::string own = directory("own"), end = file(own + "/end");
  EXPECT_EQ(*SafeWay(disk_).real_path(link(end, own + "/l")), *disk_.real_path(end));
  EXPECT_FALSE(SafeWay(disk_).real_path(own + "/none"));
}

}  // namespace
}  // namespace certrebind
