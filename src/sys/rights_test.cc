#include "sys/rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "sys/disk.h"
#include "sys/processes.h"

namespace certrebind {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr uint32_t kStranger = 12345;  // a user without a name

// A directory that everybody may enter, with a file of root and one of the stranger.
class RightsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (own_user() != 0) GTEST_SKIP() << "only root can take other users' rights";
    std::string pattern = std::filesystem::temp_directory_path() / "certrebind-rights-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
    for (const char* name : {"/roots", "/his"})
      ASSERT_TRUE(disk_.create(root_ + name, name, {}, std::nullopt));
    ASSERT_EQ(::chown((root_ + "/his").c_str(), kStranger, kStranger), 0);
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  std::string root_;
  Disk disk_;
};

TEST_F(RightsTest, FilesAreSeenAsTheUserSeesThem) {
  auto his = files_seen_by(kStranger);
  auto refused = his->read(root_ + "/roots", 100);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(his->read(root_ + "/his", 100).value_or(""), "/his");
  EXPECT_FALSE(his->remove(root_ + "/roots"));
  // Afterwards the rights are as before, in this thread and in others that asked meanwhile.
  EXPECT_TRUE(disk_.read(root_ + "/roots", 100));
  std::jthread([&] {
    EXPECT_FALSE(his->read(root_ + "/roots", 100));
    EXPECT_TRUE(disk_.read(root_ + "/roots", 100));
  }).join();
}

TEST_F(RightsTest, ALinkOfHisLeadsNoFurtherThanHeCouldGo) {
  ASSERT_EQ(::symlink((root_ + "/roots").c_str(), (root_ + "/link").c_str()), 0);
  EXPECT_FALSE(files_seen_by(kStranger)->read(root_ + "/link", 100));
}

TEST_F(RightsTest, HeFillsNoMemory) {
  auto his = files_seen_by(kStranger);
  ASSERT_EQ(::truncate((root_ + "/his").c_str(), 15 << 20), 0);
  int read = 0;
  while (read < 10 && his->read(root_ + "/his", size_t{1} << 30)) ++read;
  EXPECT_EQ(read, 5) << "64 MiB in all, and what was begun is finished";
}

TEST_F(RightsTest, ACommandHasHisRightsAndNothingOfOurs) {
  ::setenv("CERTREBIND_SECRET", "ours", 1);
  auto done =
      SystemCommands().run({.arguments = {"/bin/sh", "-c",
                                          "id -u; id -g; id -G; cat /proc/self/status; env; "
                                          "ls /proc/$$/fd; cat /proc/self/stat"},
                            .root = {},
                            .user = kStranger},
                           milliseconds(10'000));
  ::unsetenv("CERTREBIND_SECRET");
  ASSERT_TRUE(done);
  EXPECT_THAT(done->output, testing::StartsWith("12345\n65534\n65534\n"));
  EXPECT_THAT(done->output, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(done->output, HasSubstr("CapPrm:\t0000000000000000"));
  EXPECT_THAT(done->output, HasSubstr("CapAmb:\t0000000000000000"));
  EXPECT_THAT(done->output, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(done->output, Not(HasSubstr("CERTREBIND_SECRET")));
  EXPECT_THAT(done->output, HasSubstr("\n0\n1\n2\n")) << "these descriptors, and no other:";
  EXPECT_THAT(done->output, Not(HasSubstr("\n2\n3\n")));
}

TEST_F(RightsTest, AKnownUserHasHisGroups) {
  Rights daemon = rights_of(1);  // the user of this id exists on every Debian
  EXPECT_EQ(daemon.group, 1U);
  EXPECT_THAT(daemon.groups, testing::Contains(1U));
  Rights stranger = rights_of(kStranger);
  EXPECT_EQ(stranger.user, kStranger);
  EXPECT_TRUE(stranger.groups.empty());
}

}  // namespace
}  // namespace certrebind
