#include "service/trust.h"

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

constexpr uint32_t kEve = 12345;

class TrustTest : public testing::Test {
 protected:
  void SetUp() override {
    if (own_user() != 0) GTEST_SKIP() << "only root has rights to lose";
    std::string pattern = std::filesystem::temp_directory_path() / "certrebind-trust-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    ASSERT_TRUE(disk_.create(root_ + "/server", "",
                             {.mode = 0755, .owner = {}, .group = {}, .extended = {}},
                             std::nullopt));
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }
  Process process() const {
    Process roots;
    roots.executable = root_ + "/server";
    return roots;
  }
  void give(const std::string& path) const { ASSERT_EQ(::lchown(path.c_str(), kEve, kEve), 0); }

  std::string root_;
  Disk disk_;
};

TEST_F(TrustTest, AProcessIsItsUsers) {
  Process hers = process();
  hers.owner = kEve;
  Trust trust = trust_of(hers, disk_);
  EXPECT_EQ(trust.owner, kEve);
  EXPECT_FALSE(trust.is_ours());
  EXPECT_EQ(trust.unasked, "") << "a program of root's may be asked, as her";
}

TEST_F(TrustTest, RootsProcessOfRootsProgramIsRoots) {
  Trust trust = trust_of(process(), disk_);
  EXPECT_TRUE(trust.is_ours());
  EXPECT_EQ(trust.doubt, "");
}

TEST_F(TrustTest, WhatSheCouldReplaceIsNotRun) {
  give(root_ + "/server");
  Trust trust = trust_of(process(), disk_);
  EXPECT_THAT(trust.doubt, HasSubstr("belongs to user 12345"));
  EXPECT_THAT(trust.unasked, HasSubstr("belongs to user 12345"));
}

TEST_F(TrustTest, EveryDirectoryOfTheWayCounts) {
  give(root_);
  EXPECT_THAT(trust_of(process(), disk_).doubt, HasSubstr(root_));
  EXPECT_NE(who_else_could_change(disk_, {root_ + "/server"}), "");
}

TEST_F(TrustTest, WhatOthersMayWriteIsTheirs) {
  ASSERT_EQ(::chmod((root_ + "/server").c_str(), 0757), 0);
  EXPECT_THAT(who_else_could_change(disk_, {root_ + "/server"}), HasSubstr("others may change it"));
  EXPECT_EQ(who_else_could_change(disk_, {root_ + "/missing", "/bin/sh"}), "");
}

}  // namespace
}  // namespace certrebind
