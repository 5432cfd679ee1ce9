#include "state/database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <thread>

#include "transaction/testing.h"

namespace certrebind {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  std::string pragma(Database& database, const std::string& name) {
    return database.handle().execAndGet("PRAGMA " + name).getString();
  }
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/state.db";
};

TEST_F(DatabaseTest, OpensDurably) {
  auto database = Database::open_for_writing(path_);
  ASSERT_TRUE(database) << database.error().message();
  EXPECT_EQ(pragma(*database, "journal_mode"), "wal");
  EXPECT_EQ(pragma(*database, "synchronous"), "2") << "FULL: what was committed is on disk";
  EXPECT_EQ(pragma(*database, "foreign_keys"), "1");
  EXPECT_EQ(pragma(*database, "user_version"), "4");
}

TEST_F(DatabaseTest, OpensAgainWithItsContent) {
  {
    auto first = Database::open_for_writing(path_);
    first->handle().exec("INSERT INTO sightings VALUES ('/p', 'ab', x'00', 1)");
  }
  auto again = Database::open_for_writing(path_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->handle().execAndGet("SELECT count(*) FROM sightings").getInt(), 1);
  auto reader = Database::open_for_reading(path_);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->handle().execAndGet("SELECT count(*) FROM sightings").getInt(), 1);
  EXPECT_FALSE(reader->guarded("write", [&] { reader->handle().exec("DELETE FROM sightings"); }));
}

TEST_F(DatabaseTest, WhileItIsMadeItIsNotThereOrWhole) {
  for (int turn = 0; turn < 50; ++turn) {
    std::string path = path_ + std::to_string(turn);
    std::jthread writer([&] { ASSERT_TRUE(Database::open_for_writing(path)); });
    while (true) {
      auto reader = Database::open_for_reading(path);
      if (reader) {
        EXPECT_TRUE(reader->guarded(
            "read", [&] { reader->handle().execAndGet("SELECT count(details) FROM events"); }));
        break;
      }
      ASSERT_EQ(reader.error().code, Code::not_found) << reader.error().message();
    }
  }
}

TEST_F(DatabaseTest, OneOfAnotherVersionIsNotMisread) {
  ASSERT_TRUE(Database::open_for_writing(path_));
  auto becomes = [&](const char* version) {
    SQLite::Database(path_, SQLite::OPEN_READWRITE)
        .exec(std::string("PRAGMA user_version = ") + version);
  };
  becomes("1");
  EXPECT_EQ(Database::open_for_reading(path_).error().cause,
            "it is of an earlier version of certrebind");
  becomes("1000");
  EXPECT_EQ(Database::open_for_reading(path_).error().hint, "run that version");
  EXPECT_EQ(Database::open_for_writing(path_).error().hint, "run that version");
}

TEST_F(DatabaseTest, TheSecondVersionKeepsItsRecords) {
  Database::open_for_writing(path_)->handle().exec(
      "ALTER TABLE successions DROP COLUMN accepted; "
      "ALTER TABLE transactions ADD COLUMN record TEXT NOT NULL DEFAULT ''; DROP TABLE records; "
      "INSERT INTO transactions (act, service, phase, started_ms, record) "
      "VALUES ('rebind', 'nginx:/n', 'swapping', 1, '{\"files\": []}'); PRAGMA user_version = 2");
  auto now = Database::open_for_writing(path_);
  ASSERT_TRUE(now) << now.error().message();
  EXPECT_EQ(now->handle()
                .execAndGet("SELECT act || record FROM transactions JOIN records ON "
                            "transaction_id = id")
                .getString(),
            "rebind{\"files\": []}");
}

TEST_F(DatabaseTest, ThereIsNoneYet) {
  EXPECT_EQ(Database::open_for_reading(path_).error().code, Code::not_found);
}

TEST_F(DatabaseTest, WhatIsNoDatabaseIsAnError) {
  Disk disk;
  ASSERT_TRUE(disk.create(path_, std::string(4096, 'x'), {}, {}));
  auto database = Database::open_for_writing(path_);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::damaged);
  EXPECT_EQ(database.error().subject, path_);
}

TEST_F(DatabaseTest, AllOfItOrNothing) {
  auto database = Database::open_for_writing(path_);
  Done done = database->atomically("try", [&] {
    database->handle().exec("INSERT INTO sightings VALUES ('/p', 'ab', x'00', 1)");
    database->handle().exec("INSERT INTO nowhere VALUES (1)");
  });
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find(path_), std::string::npos);
  EXPECT_EQ(database->handle().execAndGet("SELECT count(*) FROM sightings").getInt(), 0);
}

TEST_F(DatabaseTest, AFullDiskIsAnErrorAndNothingIsWritten) {
  auto database = Database::open_for_writing(path_);
  database->handle().exec("PRAGMA max_page_count = 12");
  Done done = database->atomically("fill", [&] {
    for (int i = 0; i < 1000; ++i)
      database->handle().exec("INSERT INTO sightings VALUES ('/p" + std::to_string(i) +
                              "', 'ab', zeroblob(1000), 1)");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(database->handle().execAndGet("SELECT count(*) FROM sightings").getInt(), 0);
}

TEST_F(DatabaseTest, GuardedGivesValues) {
  auto database = Database::open_for_writing(path_);
  EXPECT_EQ(database->guarded("count", [] { return 7; }).value(), 7);
}

class StateTest : public DatabaseTest {
 protected:
  StateTest() {
    settings_.state_directory = directory_.path() + "/deep/state";
    settings_.run_directory = directory_.path() + "/run";
  }
  Disk disk_;
  Settings settings_;
};

TEST_F(StateTest, MakesItsDirectoriesPrivate) {
  auto state = State::open_for_writing(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_EQ(disk_.stat(settings_.state_directory)->mode, 0700U);
  EXPECT_EQ(disk_.stat(settings_.state_directory + "/before")->mode, 0700U);
  EXPECT_EQ(state->before_directory(7, "ab12"), settings_.state_directory + "/before/7-ab12");
}

TEST_F(StateTest, OneAtATime) {
  auto first = State::open_for_writing(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(State::open_for_writing(disk_, settings_, milliseconds(0)).error().code, Code::busy);
  EXPECT_TRUE(State::open_for_reading(settings_)) << "everybody may read";
  first = fail(Code::failed, "", "", "");
  EXPECT_TRUE(State::open_for_writing(disk_, settings_, milliseconds(0)));
}

TEST_F(StateTest, BesideWhoeverHoldsTheLock) {
  auto holder = State::open_for_writing(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(holder);
  auto beside = State::open_beside(disk_, settings_);
  ASSERT_TRUE(beside) << beside.error().message();
  EXPECT_TRUE(beside->atomically(
      "mark", [&] { beside->handle().exec("INSERT INTO marks VALUES ('a', '1')"); }));
  auto value = holder->database().handle().execAndGet("SELECT value FROM marks").getString();
  EXPECT_EQ(value, "1");
}

// Both read before they write. The second one must wait, not fail because its snapshot is outdated.
TEST_F(DatabaseTest, TwoWritersThatReadFirst) {
  auto one = Database::open_for_writing(path_);
  auto other = Database::open_for_writing(path_);
  auto count_up = [](Database& database) {
    return database.atomically("count", [&] {
      int count = database.handle().execAndGet("SELECT count(*) FROM marks").getInt();
      database.handle().exec("INSERT INTO marks VALUES ('" + std::to_string(count) + "', '')");
    });
  };
  std::jthread second([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(count_up(*other));
  });
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(count_up(*one));
  second.join();
  EXPECT_EQ(one->handle().execAndGet("SELECT count(*) FROM marks").getInt(), 200);
}

TEST_F(StateTest, RefusesADirectoryThatOthersMayEnter) {
  ASSERT_TRUE(disk_.make_directory(directory_.path() + "/deep", 0755));
  ASSERT_TRUE(disk_.make_directory(settings_.state_directory, 0755));
  auto state = State::open_for_writing(disk_, settings_, milliseconds(0));
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Code::denied);
  EXPECT_EQ(State::open_for_reading(settings_).error().code, Code::not_found);
}

}  // namespace
}  // namespace certrebind
