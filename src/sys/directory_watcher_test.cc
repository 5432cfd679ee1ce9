#include "sys/directory_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;

auto change(const std::string& directory, const std::string& name) {
  return AllOf(Field(&Change::directory, directory), Field(&Change::name, name));
}

class DirectoryWatcherTest : public ::testing::Test {
 protected:
  DirectoryWatcherTest() { std::filesystem::create_directory(inner_); }
  void touch(const std::string& path) { std::ofstream(path) << "x"; }

  TemporaryDirectory directory_;
  const std::string inner_ = directory_.path() + "/inner";
  const std::string alias_ = directory_.path() + "/alias";
  DirectoryWatcher watcher_ = DirectoryWatcher::create();
};

TEST_F(DirectoryWatcherTest, WhatIsWatchedAlreadyIsNotNew) {
  EXPECT_TRUE(watcher_.watch_exactly({inner_}).is_new);
  EXPECT_FALSE(watcher_.watch_exactly({inner_}).is_new);
  EXPECT_TRUE(watcher_.watch_exactly({inner_, directory_.path()}).is_new);
}

TEST_F(DirectoryWatcherTest, ADirectoryThatVanishedIsWorthAnotherLook) {
  std::filesystem::remove(inner_);
  Watching watching = watcher_.watch_exactly({inner_});
  EXPECT_TRUE(watching.is_new);
  EXPECT_THAT(watching.errors, IsEmpty());
}

TEST_F(DirectoryWatcherTest, ADirectoryThatWentIsWatchedAnewWhenItReturns) {
  watcher_.watch_exactly({inner_});
  std::filesystem::remove(inner_);
  EXPECT_THAT(watcher_.take().seen, Contains(change(inner_, "")));
  std::filesystem::create_directory(inner_);
  EXPECT_TRUE(watcher_.watch_exactly({inner_}).is_new);
  touch(inner_ + "/a.pem");
  EXPECT_THAT(watcher_.take().seen, Contains(change(inner_, "a.pem")));
}

TEST_F(DirectoryWatcherTest, ADirectoryOfTwoNamesIsToldUnderBoth) {
  std::filesystem::create_directory_symlink(inner_, alias_);
  watcher_.watch_exactly({inner_, alias_});
  touch(inner_ + "/a.pem");
  std::vector<Change> seen = watcher_.take().seen;
  EXPECT_THAT(seen, Contains(change(inner_, "a.pem")));
  EXPECT_THAT(seen, Contains(change(alias_, "a.pem")));
}

TEST_F(DirectoryWatcherTest, OneNameMayGoAndTheOtherStays) {
  std::filesystem::create_directory_symlink(inner_, alias_);
  watcher_.watch_exactly({inner_, alias_});
  watcher_.watch_exactly({inner_});
  touch(inner_ + "/a.pem");
  std::vector<Change> seen = watcher_.take().seen;
  EXPECT_THAT(seen, Contains(change(inner_, "a.pem")));
  EXPECT_THAT(seen, ::testing::Not(Contains(change(alias_, "a.pem"))));
}

}  // namespace
}  // namespace certrebind
