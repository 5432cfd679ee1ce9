#include "transaction/reload_preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

class LoadableTest : public ::testing::Test {
 protected:
  LoadableTest() {
    host_.service.when_bad = OnBadCertificate::dies;
    host_.service.adorn = [this](Binding& binding) { reads_ += binding.site == host_.sites[0]; };
    host_.service.wants = {{.address = {"0.0.0.0", 443, ""}, .where = "/etc/fake:1"}};
  }

  FakeHost host_{{"a.test", "b.test"}};
  int reads_ = 0;  // of the configuration
  ReloadPreview preview_{&host_.service, host_.files};
};

TEST_F(LoadableTest, WithoutAServiceThereIsNothing) {
  ReloadPreview none(nullptr, host_.files);
  EXPECT_TRUE(none.listens().empty());
  EXPECT_EQ(none.why_not(), "");
}

// Only the first reading tells which files there are; from then on they can be stamped.
TEST_F(LoadableTest, IsReadTwiceAndThenOnlyAfterAChange) {
  EXPECT_EQ(preview_.listens().size(), 1u);
  EXPECT_EQ(reads_, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(preview_.why_not(), "");
    EXPECT_EQ(preview_.listens().size(), 1u);
    EXPECT_EQ(reads_, 2);
  }
  host_.files.put(kFakeConfig, *host_.files.read(kFakeConfig, kConfigLimit) + "#\n");
  host_.service.wants.clear();
  EXPECT_TRUE(preview_.listens().empty());
  EXPECT_EQ(reads_, 3);
}

TEST_F(LoadableTest, APairThatBreaksAfterALookIsSeen) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(preview_.why_not(), "");
  host_.files.put(host_.key_path(1), host_.old_ones[0].key_pem, 0600);
  EXPECT_THAT(preview_.why_not(), HasSubstr("belongs to another certificate"));
  host_.files.put(host_.key_path(1), host_.old_ones[1].key_pem, 0600);
  EXPECT_EQ(preview_.why_not(), "");
  ASSERT_TRUE(host_.files.remove(host_.certificate_path(0)));
  EXPECT_THAT(preview_.why_not(), HasSubstr(host_.certificate_path(0)));
}

TEST_F(LoadableTest, AnotherPairThatIsNamedNowIsLookedAt) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(preview_.why_not(), "");
  host_.files.put(kFakeConfig,
                  "site a.test 443 " + host_.certificate_path(0) + " " + host_.key_path(1) + "\n");
  EXPECT_THAT(preview_.why_not(), HasSubstr("belongs to another certificate"));
}

TEST_F(LoadableTest, AConfigurationThatCannotBeReadForbidsTheReload) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(preview_.why_not(), "");
  ASSERT_TRUE(host_.files.remove(kFakeConfig));
  EXPECT_THAT(preview_.why_not(), HasSubstr(kFakeConfig));
  EXPECT_TRUE(preview_.listens().empty());
}

TEST_F(LoadableTest, OfAServerThatNoCertificateEndsNoPairIsAskedFor) {
  host_.service.when_bad = OnBadCertificate::keeps_old;
  host_.files.put(host_.key_path(1), "garbage", 0600);
  EXPECT_EQ(preview_.why_not(), "");
}

// Uses the real disk, for its real time stamps.
class StampsTest : public ::testing::Test {
 protected:
  StampsTest() { write("a", "old"); }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  // A change within one tick of the kernel's clock has the same times.
  void let_the_clock_tick() const {
    auto before = disk_.stat(path("a"))->changed_ns;
    do write("tick", "");
    while (disk_.stat(path("tick"))->changed_ns == before);
  }

  Disk disk_;
  TemporaryDirectory directory_;
};

TEST_F(StampsTest, HoldWhileNothingChanges) {
  Stamps stamps(disk_, {path("a"), path("missing")});
  EXPECT_TRUE(stamps.still_hold(disk_));
  write("b", "beside");
  EXPECT_TRUE(stamps.still_hold(disk_));
}

TEST_F(StampsTest, AnEditInPlaceShowsEvenWithItsTimePutBack) {
  auto time = std::filesystem::last_write_time(path("a"));
  let_the_clock_tick();
  Stamps stamps(disk_, {path("a")});
  write("a", "new");
  std::filesystem::last_write_time(path("a"), time);
  EXPECT_FALSE(stamps.still_hold(disk_));
}

TEST_F(StampsTest, AReplacedFileShows) {
  write("b", "old");
  std::filesystem::last_write_time(path("b"), std::filesystem::last_write_time(path("a")));
  Stamps stamps(disk_, {path("a")});
  std::filesystem::rename(path("b"), path("a"));
  EXPECT_FALSE(stamps.still_hold(disk_));
}

TEST_F(StampsTest, ALinkThatLeadsElsewhereShows) {
  write("b", "old");
  std::filesystem::create_symlink("a", path("link"));
  Stamps stamps(disk_, {path("link")});
  std::filesystem::remove(path("link"));
  std::filesystem::create_symlink("b", path("link"));
  EXPECT_FALSE(stamps.still_hold(disk_));
}

TEST_F(StampsTest, WhatAppearsOrVanishesShows) {
  Stamps file(disk_, {path("b")});
  let_the_clock_tick();
  Stamps directory(disk_, {directory_.path()});
  let_the_clock_tick();
  write("b", "");
  EXPECT_FALSE(file.still_hold(disk_));
  EXPECT_FALSE(directory.still_hold(disk_));
  Stamps there(disk_, {path("b")});
  std::filesystem::remove(path("b"));
  EXPECT_FALSE(there.still_hold(disk_));
}

}  // namespace
}  // namespace certrebind
