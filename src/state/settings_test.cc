#include "state/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"

namespace certrebind {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  Result<Settings> load(const std::string& text) {
    files_.put("/c.toml", text);
    return load_settings(files_, defaults_, true);
  }
  // The error must be Code::usage and name the line.
  void expect_refused(const std::string& text, int line, const std::string& why) {
    auto settings = load(text);
    ASSERT_FALSE(settings) << text;
    EXPECT_EQ(settings.error().code, Code::usage) << text;
    EXPECT_THAT(settings.error().subject, EndsWith("/c.toml:" + std::to_string(line))) << text;
    EXPECT_THAT(settings.error().cause, HasSubstr(why)) << text;
  }
  SettingsTest() {
    defaults_.config_file = "/c.toml";
    defaults_.stores = {{"certbot", "/etc/letsencrypt"}};
  }
  MemoryFiles files_;
  Settings defaults_;
};

TEST_F(SettingsTest, DefaultsWithoutAFile) {
  auto settings = load_settings(files_, defaults_, false);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->stores.size(), 1U);
  EXPECT_DOUBLE_EQ(settings->expiry_fraction, 0.10);
  EXPECT_EQ(settings->expiry_days, 30);
  EXPECT_EQ(settings->verify_at_least, milliseconds(10'000));
  EXPECT_EQ(settings->handshake_deadline, milliseconds(5'000));
  EXPECT_EQ(settings->keep_days, 90);
  EXPECT_EQ(Settings{}.config_file, "/etc/certrebind/certrebind.toml");
  EXPECT_EQ(Settings{}.state_directory, "/var/lib/certrebind");
  EXPECT_EQ(Settings{}.run_directory, "/run/certrebind");
  EXPECT_EQ(Settings{}.tasks_directory(), "/etc/certrebind/tasks.d");
}

TEST_F(SettingsTest, AMissingFileThatWasNamedIsAnError) {
  EXPECT_EQ(load_settings(files_, defaults_, true).error().code, Code::not_found);
}

TEST_F(SettingsTest, AnEmptyFileChangesNothing) {
  EXPECT_EQ(load("# nothing\n")->keep_days, 90);
}

TEST_F(SettingsTest, ARestartConcernsAWholeServer) {
  EXPECT_TRUE(load("[[policy]]\nservice = \"vsftpd:*\"\nallow_restart = true\n")
                  ->policies.front()
                  .allow_restart);
  expect_refused("[[policy]]\nsite = \"a\"\nallow_restart = true\n", 3, "a whole server");
  expect_refused("[[policy]]\nallow_restart = \"Sun\"\n", 2, "allow_restart");
}

TEST_F(SettingsTest, EveryKey) {
  auto settings = load(R"(
[[store]]
kind = "lego"
path = "/srv/lego"
[[store]]
kind = "directory"
path = "/srv/tls"
[check]
expiry_fraction = 0.25
expiry_days = 14
[verify]
seconds = 60
handshake_seconds = 0.5
[history]
keep_days = 7
)");
  ASSERT_TRUE(settings) << settings.error().message();
  ASSERT_EQ(settings->stores.size(), 3U);
  EXPECT_EQ(settings->stores[1].kind, "lego");
  EXPECT_EQ(settings->stores[2].path, "/srv/tls");
  EXPECT_DOUBLE_EQ(settings->expiry_fraction, 0.25);
  EXPECT_EQ(settings->expiry_days, 14);
  EXPECT_EQ(settings->verify_at_least, milliseconds(60'000));
  EXPECT_EQ(settings->handshake_deadline, milliseconds(500));
  EXPECT_EQ(settings->keep_days, 7);
}

TEST_F(SettingsTest, WithoutTheUsualStores) {
  auto settings = load("default_stores = false\n[[store]]\nkind = 'lego'\npath = '/l'\n");
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->stores.size(), 1U);
  EXPECT_EQ(settings->stores[0].path, "/l");
  EXPECT_TRUE(settings->stores[0].renew.empty());
  settings = load("[[store]]\nkind = 'lego'\npath = '/l'\nrenew = ['/usr/bin/lego', 'renew']\n");
  EXPECT_EQ(settings->stores.back().renew, (std::vector<std::string>{"/usr/bin/lego", "renew"}));
  EXPECT_EQ(load("default_stores = true\n")->stores.size(), 1U);
}

TEST_F(SettingsTest, UnknownKeysAreNamed) {
  expect_refused("\nnonsense = 1\n", 2, "unknown setting 'nonsense'");
  expect_refused("[check]\n\nexpiry_day = 1\n", 3, "unknown setting 'expiry_day'");
  expect_refused("[verify]\nminutes = 1\n", 2, "unknown setting 'minutes'");
  expect_refused("[history]\nkeep = 1\n", 2, "unknown setting 'keep'");
  expect_refused("[[store]]\nkind = 'lego'\npath = '/l'\nname = 'x'\n", 4,
                 "unknown setting 'name'");
}

TEST_F(SettingsTest, WrongTypesAreNamed) {
  expect_refused("[check]\nexpiry_days = 'many'\n", 2, "must be a");
  expect_refused("[check]\nexpiry_days = true\n", 2, "must be a");
  expect_refused("check = 1\n", 1, "'check' must be a table");
  expect_refused("[[store]]\nkind = 'lego'\npath = '/l'\nrenew = 'x'\n", 4, "list of texts");
  expect_refused("[[store]]\nkind = 'lego'\npath = '/l'\nrenew = []\n", 4, "list of texts");
  expect_refused("[[store]]\nkind = 'lego'\npath = '/l'\nrenew = ['/x', 1]\n", 4, "list of texts");
  expect_refused("default_stores = 'no'\n", 1, "must be true or false");
  expect_refused("store = 'x'\n", 1, "[[store]]");
  expect_refused("\n[[store]]\nkind = 'lego'\n", 2, "'path' must be given");
  expect_refused("\n[[store]]\nkind = 5\npath = '/l'\n", 2, "'kind' must be given");
}

TEST_F(SettingsTest, WholeNumbersAreWhole) {
  expect_refused("[check]\nexpiry_days = 0.5\n", 2, "'expiry_days' must be");
  expect_refused("[history]\nkeep_days = 1.5\n", 2, "'keep_days' must be");
}

TEST_F(SettingsTest, OutOfRangeIsNamed) {
  expect_refused("[check]\nexpiry_fraction = 1.5\n", 2, "from 0 to 1");
  expect_refused("[check]\nexpiry_days = -1\n", 2, "from 0 to 3650");
  expect_refused("[verify]\nseconds = 0\n", 2, "from 1 to 3600");
  expect_refused("[verify]\nhandshake_seconds = inf\n", 2, "from 0.1 to 600");
  expect_refused("[history]\nkeep_days = 0\n", 2, "from 1 to 3650");
}

TEST_F(SettingsTest, NanIsNoNumber) {
  expect_refused("[check]\nexpiry_fraction = nan\n", 2, "must be a");
  expect_refused("[verify]\nseconds = nan\n", 2, "must be a");
}

TEST_F(SettingsTest, WhatIsNotTomlIsNamedByLine) {
  expect_refused("[check]\nexpiry_days = \n", 2, "");
  expect_refused("\n\n= 1\n", 3, "");
  EXPECT_EQ(load("\xff\xfe").error().code, Code::usage);
}

}  // namespace
}  // namespace certrebind
