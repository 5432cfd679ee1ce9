#include "lifecycle/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventsTest : public ::testing::Test {
 protected:
  Done append(const Event& event) {
    return database_.atomically("log", [&] { append_event(database_, event); });
  }
  Event event_with(EventId id, const std::string& message) {
    return {.record = 0,
            .id = id,
            .at = test_now(),
            .transaction = {},
            .service = "fake:/etc/fake.conf",
            .old_thumbprint = "01",
            .new_thumbprint = "02",
            .names = {"a.test", "*.b.test"},
            .message = message};
  }
  FakeHost host_;
  Database& database_ = host_.state().database();
};

TEST_F(EventsTest, GiveBackWhatTheyWereGiven) {
  ASSERT_TRUE(append(event_with(EventId::replaced, "\xc3\xa4 \xff succeeds")));
  auto found = events_after(database_, 0);
  ASSERT_EQ(found->size(), 1U);
  const Event& event = found->front();
  EXPECT_GT(event.record, 0);
  EXPECT_EQ(event.id, EventId::replaced);
  EXPECT_EQ(event.at, test_now());
  EXPECT_FALSE(event.transaction);
  EXPECT_EQ(event.service, "fake:/etc/fake.conf");
  EXPECT_EQ(event.old_thumbprint, "01");
  EXPECT_EQ(event.new_thumbprint, "02");
  EXPECT_THAT(event.names, ElementsAre("a.test", "*.b.test"));
  EXPECT_EQ(event.message, "\xc3\xa4 \xff succeeds");
}

TEST_F(EventsTest, OneByItsRecord) {
  int64_t record = 0;
  ASSERT_TRUE(database_.atomically("log", [&] {
    append_event(database_, event_with(EventId::started, "1"));
    record = append_event(database_, event_with(EventId::replaced, "2"));
  }));
  auto event = find_event(database_, record);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->record, record);
  EXPECT_EQ(event->message, "2");
  EXPECT_EQ(find_event(database_, record + 1).error().code, Code::not_found);
}

TEST_F(EventsTest, WithoutNames) {
  Event event = event_with(EventId::refused, "");
  event.names.clear();
  ASSERT_TRUE(append(event));
  EXPECT_THAT(events_after(database_, 0)->front().names, IsEmpty());
}

TEST_F(EventsTest, AfterARecordOldestFirst) {
  for (const char* message : {"1", "2", "3"})
    ASSERT_TRUE(append(event_with(EventId::started, message)));
  auto all = events_after(database_, 0);
  ASSERT_EQ(all->size(), 3U);
  auto later = events_after(database_, all->at(0).record);
  ASSERT_EQ(later->size(), 2U);
  EXPECT_EQ(later->at(0).message, "2");
  EXPECT_EQ(later->at(1).message, "3");
  EXPECT_THAT(*events_after(database_, all->at(2).record), IsEmpty());
}

TEST_F(EventsTest, BelongToTheTransactionThatIsOpen) {
  Done done = database_.atomically("log", [&] {
    append_event(database_, event_with(EventId::started, "lost with it"));
    database_.handle().exec("INSERT INTO nowhere VALUES (1)");
  });
  EXPECT_FALSE(done);
  EXPECT_THAT(*events_after(database_, 0), IsEmpty());
}

TEST_F(EventsTest, OnlyOfTransactionsThatExist) {
  Event event = event_with(EventId::committed, "");
  event.transaction = 99;
  EXPECT_FALSE(append(event));
}

TEST(EventNames, ANumberANameOrANameWithDashes) {
  EXPECT_EQ(event_named("2002"), EventId::committed);
  EXPECT_EQ(event_named("rolled back"), EventId::rolled_back);
  EXPECT_EQ(event_named("rolled-back"), EventId::rolled_back);
  for (const char* none : {"", "unknown", "7", "2002x", "committed "})
    EXPECT_FALSE(event_named(none)) << none;
  EXPECT_EQ(all_event_ids().front(), EventId::replaced);
  EXPECT_EQ(all_event_ids().back(), EventId::clock_jumped);
}

TEST(EventIds, AreNeverRenumbered) {
  EXPECT_EQ(static_cast<int>(EventId::replaced), 1001);
  EXPECT_EQ(static_cast<int>(EventId::installed), 1006);
  EXPECT_EQ(static_cast<int>(EventId::started), 2001);
  EXPECT_EQ(static_cast<int>(EventId::proof_paid), 2009);
  std::set<std::string> words;
  for (int id : {1001, 1006, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009})
    words.insert(to_text(static_cast<EventId>(id)));
  EXPECT_EQ(words.size(), 11U);
  EXPECT_FALSE(words.contains("unknown"));
}

}  // namespace
}  // namespace certrebind
