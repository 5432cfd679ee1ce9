#include "state/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "lifecycle/attention.h"
#include "lifecycle/events.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

constexpr int kRows = 2'000;  // enough for many pages

class RebuildTest : public ::testing::Test {
 protected:
  RebuildTest() {
    settings_.state_directory = directory_.path() + "/state";
    settings_.run_directory = directory_.path() + "/run";
  }

  // A state with events, transactions and marks.
  void fill() {
    auto state = State::open_for_writing(disk_, settings_, milliseconds(0));
    ASSERT_TRUE(state) << state.error().message();
    Done filled = state->database().atomically("fill", [&] {
      SQLite::Database& handle = state->database().handle();
      handle.exec(
          "INSERT INTO transactions (act, service, phase, started_ms) VALUES ('rebind', "
          "'nginx:/n', 'swapping', 1)");
      handle.exec("INSERT INTO records VALUES (1, '{}')");
      handle.exec("INSERT INTO marks VALUES ('tasks.event', '9000')");
      for (int i = 0; i < kRows; ++i)
        append_event(
            state->database(),
            {.id = EventId::installed, .transaction = 1, .message = std::string(200, 'm')});
    });
    ASSERT_TRUE(filled) << filled.error().message();
    state->database().handle().exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  // `part`: which part of the file, from 0 to 1.
  void overwrite(double part, size_t bytes) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(0, std::ios::end);
    double size = static_cast<double>(file.tellg());
    file.seekp(static_cast<std::streamoff>(size * part));
    std::string garbage(bytes, '\xee');
    file.write(garbage.data(), static_cast<std::streamsize>(bytes));
  }

  std::string path() const { return settings_.state_directory + "/state.db"; }

  int64_t count(Database& database, const std::string& what) {
    return database.handle().execAndGet("SELECT count(*) FROM " + what).getInt64();
  }

  Disk disk_;
  TemporaryDirectory directory_;
  Settings settings_;
};

TEST_F(RebuildTest, WhatIsSoundIsLeftAlone) {
  fill();
  auto mended = State::mend(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(mended) << mended.error().message();
  EXPECT_FALSE(*mended);
}

TEST_F(RebuildTest, WithoutAHeaderAllBeginsAnewAndSaysSo) {
  fill();
  overwrite(0, 4096);
  auto state = State::open_for_writing(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_TRUE(disk_.lstat(path() + ".damaged-1"));
  auto events = events_after(state->database(), 0);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().id, EventId::database_rebuilt);
  EXPECT_THAT(events->front().message, ::testing::HasSubstr(path() + ".damaged-1"));
  auto needed = attention(state->database());
  ASSERT_TRUE(needed && needed->size() == 1U);
  EXPECT_EQ(needed->front().subject, "database");
}

TEST_F(RebuildTest, KeepsWhatCanBeReadOnBothSidesOfTheDamage) {
  fill();
  overwrite(0.5, 4096);
  auto mended = State::mend(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(mended) << mended.error().message();
  ASSERT_TRUE(*mended);
  auto state = State::open_for_writing(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(state) << state.error().message();
  Database& database = state->database();
  EXPECT_EQ(count(database, "transactions WHERE phase = 'swapping'"), 1)
      << "an interrupted rebind can still be finished";
  EXPECT_GT(count(database, "events WHERE record < 500"), 100);
  EXPECT_GT(count(database, "events WHERE record > 1500 AND record <= 2000"), 100);
  EXPECT_LT(count(database, "events"), kRows);
}

TEST_F(RebuildTest, AnEventsNumberIsNeverGivenTwice) {
  fill();
  overwrite(0.5, 4096);
  auto mended = State::mend(disk_, settings_, milliseconds(0));
  ASSERT_TRUE(mended && *mended);
  auto database = State::open_beside(disk_, settings_);
  ASSERT_TRUE(database);
  int64_t record = 0;
  Done logged = database->atomically(
      "log", [&] { record = append_event(*database, {.id = EventId::installed, .message = "m"}); });
  ASSERT_TRUE(logged);
  EXPECT_GT(record, 9'000) << "tasks read the events up to there";
}

TEST_F(RebuildTest, ATransactionWithoutItsRecordIsNotKept) {
  fill();
  {
    SQLite::Database handle(path(), SQLite::OPEN_READWRITE);
    handle.exec("DELETE FROM records; PRAGMA wal_checkpoint(TRUNCATE)");
  }
  ASSERT_TRUE(rebuild_database(disk_, path()));
  auto database = Database::open_for_reading(path());
  ASSERT_TRUE(database) << database.error().message();
  EXPECT_EQ(count(*database, "transactions"), 0);
  EXPECT_GT(count(*database, "events"), kRows - 1) << "they tell of it still";
}

TEST_F(RebuildTest, WaitsForWhoeverIsAtWork) {
  fill();
  overwrite(0, 4096);
  auto lock = take_lock(settings_.run_directory + "/lock", milliseconds(0));
  ASSERT_TRUE(lock);
  auto mended = State::mend(disk_, settings_, milliseconds(0));
  ASSERT_FALSE(mended);
  EXPECT_EQ(mended.error().code, Code::busy);
  EXPECT_FALSE(disk_.lstat(path() + ".damaged-1"));
}

}  // namespace
}  // namespace certrebind
