#include "daemon/noticer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/successions.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr EventId kInstalled = EventId::installed, kMatched = EventId::key_matched,
                  kReplaced = EventId::replaced, kArchived = EventId::archived;

// One watched pair, /tls/a.pem and /tls/a.key, which exists from the start.
class NoticerTest : public ::testing::Test {
 protected:
  NoticerTest() {
    settings_.pair_patience = std::chrono::seconds(60);
    put(first_);
    EXPECT_TRUE(noticer_.look_at_all({watched_}).has_value());
    EXPECT_THAT(logged(), IsEmpty()) << "the past is no event";
    EXPECT_TRUE(noticer_.first_look_is_over());
  }
  void put(const TestCertificate& certificate) {
    files_.put(watched_.certificate, certificate.chain_pem);
    files_.put(watched_.key, certificate.key_pem, 0600);
  }
  std::vector<Event> events() {
    auto all = events_after(database_, last_).value();
    if (!all.empty()) last_ = all.back().record;
    return all;
  }
  std::vector<EventId> logged() {
    std::vector<EventId> ids;
    for (const Event& event : events()) ids.push_back(event.id);
    return ids;
  }
  TestCertificate lasting(days life) {
    return authority_.issue(
        {.names = {"a.test"}, .not_before = test_now(), .not_after = test_now() + life});
  }

  TestAuthority authority_{"Root"};
  TestCertificate first_ = lasting(days(90)), second_ = lasting(days(90));
  const Watched watched_{"/tls/a.pem", "/tls/a.key"};
  TemporaryDirectory directory_;
  MemoryFiles files_;
  Settings settings_;
  ManualClock clock_{test_now()};
  Database database_ = *Database::open_for_writing(directory_.path() + "/state.db");
  Noticer noticer_{files_, database_, settings_, clock_};
  int64_t last_ = 0;
};

TEST_F(NoticerTest, ARenewalIsLoggedOnce) {
  put(second_);
  EXPECT_TRUE(noticer_.look(watched_).value());
  std::vector<Event> seen = events();
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].id, kInstalled);
  EXPECT_EQ(seen[1].id, kMatched);
  EXPECT_EQ(seen[2].id, kReplaced);
  EXPECT_EQ(seen[2].old_thumbprint, first_.thumbprint.hex());
  EXPECT_EQ(seen[2].new_thumbprint, second_.thumbprint.hex());
  EXPECT_THAT(seen[2].details, HasSubstr("\"how\":\"same place\""));
  EXPECT_EQ(seen[3].id, kArchived);
  EXPECT_FALSE(noticer_.look(watched_).value());
  EXPECT_THAT(logged(), IsEmpty());
}

TEST_F(NoticerTest, WhatARebindDeclaredIsNotDeclaredAgainButArchived) {
  KnownSuccession declared{.old_thumbprint = first_.thumbprint.hex(),
                           .new_thumbprint = second_.thumbprint.hex(),
                           .how = How::same_place,
                           .renewer = "",
                           .path = watched_.certificate};
  ASSERT_TRUE(
      database_.atomically("declare", [&] { add_succession(database_, declared, clock_.wall()); }));
  put(second_);
  EXPECT_TRUE(noticer_.look(watched_).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched, kArchived));
}

TEST_F(NoticerTest, OldIsArchivedWhenItsLastPathHasChanged) {
  Watched other{"/tls/b.pem", "/tls/b.key"};
  files_.put(other.certificate, first_.chain_pem);
  files_.put(other.key, first_.key_pem, 0600);
  ASSERT_TRUE(noticer_.look(other).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched));
  put(second_);
  ASSERT_TRUE(noticer_.look(watched_).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched, kReplaced));
  files_.put(other.certificate, second_.chain_pem);
  files_.put(other.key, second_.key_pem, 0600);
  ASSERT_TRUE(noticer_.look(other).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched, kArchived));
}

TEST_F(NoticerTest, TheOnlyOneThatWentAndCameBackIsNoFirstLook) {
  ASSERT_TRUE(files_.remove(watched_.certificate));
  ASSERT_FALSE(noticer_.look(watched_).value());
  clock_.sleep(settings_.pair_patience);
  ASSERT_TRUE(noticer_.give_up_waiting().value());
  EXPECT_THAT(logged(), ElementsAre(EventId::deleted));
  put(second_);
  EXPECT_TRUE(noticer_.look_at_all({watched_}).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched));
}

TEST_F(NoticerTest, NorIsItWhereTheFirstWasSeenByItself) {
  Noticer other(files_, database_, settings_, clock_);
  ASSERT_TRUE(database_.atomically("forget", [&] { drop_place(database_, watched_.certificate); }));
  ASSERT_FALSE(other.look_at_all({}).value());
  put(first_);
  ASSERT_TRUE(other.look(watched_).value());
  ASSERT_TRUE(files_.remove(watched_.certificate));
  ASSERT_FALSE(other.look(watched_).value());
  clock_.sleep(settings_.pair_patience);
  ASSERT_TRUE(other.give_up_waiting().value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched, EventId::deleted));
  put(second_);
  EXPECT_TRUE(other.look_at_all({watched_}).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched));
}

TEST_F(NoticerTest, AHalfWrittenPairIsWaitedFor) {
  files_.put(watched_.certificate, second_.chain_pem);
  EXPECT_FALSE(noticer_.look(watched_).value());
  ASSERT_TRUE(noticer_.next_deadline());
  EXPECT_EQ(*noticer_.next_deadline() - clock_.steady(), std::chrono::seconds(60));
  files_.put(watched_.key, second_.key_pem, 0600);
  EXPECT_TRUE(noticer_.look(watched_).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched, kReplaced, kArchived));
  EXPECT_FALSE(noticer_.next_deadline());
}

TEST_F(NoticerTest, APairThatNeverMatchesIsSaidOnce) {
  files_.put(watched_.certificate, second_.chain_pem);
  EXPECT_FALSE(noticer_.look(watched_).value());
  clock_.sleep(std::chrono::seconds(59));
  EXPECT_FALSE(noticer_.give_up_waiting().value());
  clock_.sleep(std::chrono::seconds(1));
  EXPECT_TRUE(noticer_.give_up_waiting().value());
  EXPECT_THAT(logged(), ElementsAre(EventId::key_not_matched));
  EXPECT_FALSE(noticer_.look(watched_).value());
  EXPECT_FALSE(noticer_.next_deadline()) << "it is not waited for again";
  files_.put(watched_.key, second_.key_pem, 0600);
  EXPECT_TRUE(noticer_.look(watched_).value());
}

TEST_F(NoticerTest, WhatVanishesIsDeletedAfterAWhile) {
  ASSERT_TRUE(files_.remove(watched_.certificate));
  EXPECT_FALSE(noticer_.look(watched_).value());
  EXPECT_THAT(logged(), IsEmpty());
  clock_.sleep(std::chrono::seconds(60));
  EXPECT_TRUE(noticer_.give_up_waiting().value());
  EXPECT_THAT(logged(), ElementsAre(EventId::deleted));
}

TEST_F(NoticerTest, WhatComesBackInTimeWasNeverGone) {
  ASSERT_TRUE(files_.remove(watched_.certificate));
  EXPECT_FALSE(noticer_.look(watched_).value());
  put(first_);
  EXPECT_FALSE(noticer_.look(watched_).value());
  EXPECT_FALSE(noticer_.next_deadline());
  EXPECT_THAT(logged(), IsEmpty());
}

// Services are surveyed after the stores.
TEST_F(NoticerTest, TheFirstLookGoesOnUntilAllWasLookedAt) {
  Database fresh = *Database::open_for_writing(directory_.path() + "/fresh.db");
  Noticer first(files_, fresh, settings_, clock_);
  Watched other{"/tls/b.pem", "/tls/b.key"}, late{"/tls/c.pem", "/tls/c.key"};
  files_.put(other.certificate, second_.chain_pem);
  files_.put(other.key, second_.key_pem, 0600);
  ASSERT_TRUE(first.look_at_all({watched_}).has_value());
  ASSERT_TRUE(first.look_at_all({watched_, other}).has_value());
  EXPECT_THAT(events_after(fresh, 0).value(), IsEmpty());
  ASSERT_TRUE(first.first_look_is_over());
  files_.put(late.certificate, second_.chain_pem);
  files_.put(late.key, second_.key_pem, 0600);
  ASSERT_TRUE(first.look_at_all({watched_, other, late}).has_value());
  EXPECT_EQ(events_after(fresh, 0).value().size(), 2U);
}

TEST_F(NoticerTest, ANewPlaceIsAnInstallation) {
  Watched other{"/tls/b.pem", "/tls/b.key"};
  files_.put(other.certificate, second_.chain_pem);
  files_.put(other.key, second_.key_pem, 0600);
  EXPECT_TRUE(noticer_.look_at_all({watched_, other}).value());
  EXPECT_THAT(logged(), ElementsAre(kInstalled, kMatched));
}

TEST_F(NoticerTest, ExpiryIsToldOnceForEachThreshold) {
  EXPECT_FALSE(noticer_.note_expiry().value());
  EXPECT_EQ(noticer_.next_expiry(), test_now() + days(81)) << "a tenth of its life left";
  clock_.sleep(days(81));
  EXPECT_TRUE(noticer_.note_expiry().value());
  EXPECT_FALSE(noticer_.note_expiry().value());
  clock_.sleep(days(2));
  EXPECT_TRUE(noticer_.note_expiry().value()) << "a week left";
  clock_.sleep(days(8));
  EXPECT_TRUE(noticer_.note_expiry().value());
  EXPECT_THAT(logged(),
              ElementsAre(EventId::about_to_expire, EventId::about_to_expire, EventId::expired));
  EXPECT_FALSE(noticer_.next_expiry());
}

TEST_F(NoticerTest, TheLogStaysWithinItsBounds) {
  settings_.log_events = 3;
  put(second_);
  EXPECT_TRUE(noticer_.look(watched_).value());
  ASSERT_TRUE(noticer_.prune_log());
  EXPECT_THAT(logged(), ElementsAre(kMatched, kReplaced, kArchived));
}

}  // namespace
}  // namespace certrebind
