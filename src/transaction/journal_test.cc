#include "transaction/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/successions.h"
#include "transaction/file_swap.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;

class JournalTest : public ::testing::Test {
 protected:
  TransactionRow begin(const std::string& service = "/etc/fake/fake.conf") {
    JournalRecord record;
    record.token = "t";
    record.files = {{"/etc/\xff", "b", "a", "/etc"}};
    record.successions = {{"01", "02", {"a.test", "b.test"}}};
    return host_.journal().begin(Act::rebind, {"fake", service}, record, {}).value();
  }
  void end(TransactionRow& row, Outcome outcome, bool owed = false) {
    Phase phase = outcome == Outcome::committed ? Phase::committed : Phase::restored;
    ASSERT_TRUE(host_.journal().end(row, {.phase = phase,
                                          .outcome = outcome,
                                          .account = "first line\nsecond line",
                                          .owed = owed,
                                          .events = {EventId::installed}}));
  }
  std::vector<Event> events() { return events_after(host_.state().database(), 0).value(); }

  FakeHost host_;
};

TEST_F(JournalTest, BeginsWithTheRecordAndItsEvent) {
  TransactionRow row = begin();
  TransactionRow found = host_.journal().find(row.id).value();
  EXPECT_EQ(found.phase, Phase::planned);
  EXPECT_EQ(found.act, Act::rebind);
  EXPECT_EQ(found.service.text(), "fake:/etc/fake/fake.conf");
  EXPECT_EQ(found.started, test_now());
  EXPECT_FALSE(found.outcome || found.ended || found.undoes || found.owed);
  EXPECT_EQ(found.record.files.at(0).path, "/etc/\xff");
  std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, EventId::started);
  EXPECT_EQ(all[0].transaction, row.id);
  EXPECT_EQ(all[0].old_thumbprint, "01");
  EXPECT_EQ(all[0].new_thumbprint, "02");
  EXPECT_THAT(all[0].names, ElementsAre("a.test", "b.test"));
}

TEST_F(JournalTest, EveryPhaseIsReadAsItWasMarked) {
  TransactionRow row = begin();
  for (Phase phase : {Phase::planned, Phase::staged, Phase::swapping, Phase::swapped, Phase::tested,
                      Phase::reloading, Phase::verifying, Phase::committed, Phase::restoring,
                      Phase::restored, Phase::refused, Phase::stuck}) {
    ASSERT_TRUE(host_.journal().mark(row, phase));
    EXPECT_EQ(row.phase, phase);
    EXPECT_EQ(host_.journal().find(row.id)->phase, phase) << to_text(phase);
  }
}

TEST_F(JournalTest, CountsItsSets) {
  TransactionRow row = begin();
  EXPECT_EQ(host_.journal().next_set(row).value(), 0);
  EXPECT_EQ(host_.journal().next_set(row).value(), 1);
  EXPECT_EQ(row.sets, 2);
  EXPECT_EQ(host_.journal().find(row.id)->sets, 2);
}

// In the same database transaction as the commit: after a crash between the two, the daemon would
// repeat the change.
TEST_F(JournalTest, WhatAPersonTookAwayIsNotedWithTheCommit) {
  for (Outcome outcome : {Outcome::rolled_back, Outcome::committed}) {
    TransactionRow row = begin();
    row.record.decided = true;
    end(row, outcome);
  }
  std::vector<KnownSuccession> known = known_successions(host_.state().database()).value();
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].old_thumbprint, "02");
  EXPECT_EQ(known[0].new_thumbprint, "01");
  EXPECT_EQ(known[0].how, How::undone);
}

TEST_F(JournalTest, ItsEventsSayWhatTheServerSaid) {
  TransactionRow row = begin();
  ASSERT_TRUE(host_.journal().end(row, {.phase = Phase::restored,
                                        .outcome = Outcome::rolled_back,
                                        .account = "its test refuses; it says:\n  [emerg] no\nback",
                                        .owed = false,
                                        .events = {}}));
  EXPECT_EQ(events().back().message, "its test refuses; it says: [emerg] no");
}

TEST_F(JournalTest, EndsWithItsEvents) {
  TransactionRow row = begin();
  EXPECT_EQ(host_.journal().unfinished()->size(), 1U);
  host_.clock.sleep(milliseconds(1500));
  end(row, Outcome::committed);
  EXPECT_TRUE(host_.journal().unfinished()->empty());
  TransactionRow found = host_.journal().find(row.id).value();
  EXPECT_EQ(found.outcome, Outcome::committed);
  EXPECT_EQ(found.ended, test_now() + milliseconds(1500));
  EXPECT_EQ(found.account, "first line\nsecond line");
  std::vector<Event> all = events();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].id, EventId::installed);
  EXPECT_EQ(all[2].id, EventId::committed);
  EXPECT_EQ(all[2].message, "first line");
}

TEST_F(JournalTest, EveryOutcomeHasItsEvent) {
  for (Outcome outcome :
       {Outcome::committed, Outcome::rolled_back, Outcome::refused, Outcome::needs_operator}) {
    TransactionRow row = begin();
    end(row, outcome);
    EXPECT_EQ(host_.journal().find(row.id)->outcome, outcome);
    EXPECT_EQ(to_text(events().back().id), to_text(outcome));
  }
}

TEST_F(JournalTest, ProofIsOwedUntilItIsPaidOrReplaced) {
  TransactionRow first = begin(), other = begin("/etc/other.conf");
  end(first, Outcome::committed, true);
  end(other, Outcome::committed, true);
  EXPECT_EQ(host_.journal().owed()->size(), 2U);
  ASSERT_TRUE(host_.journal().paid(other));
  EXPECT_EQ(events().back().id, EventId::proof_paid);
  ASSERT_EQ(host_.journal().owed()->size(), 1U);
  TransactionRow failed = begin();
  end(failed, Outcome::rolled_back);
  EXPECT_EQ(host_.journal().owed()->size(), 1U) << "what failed pays nothing";
  TransactionRow second = begin();
  end(second, Outcome::committed);
  EXPECT_TRUE(host_.journal().owed()->empty()) << "the later commit was proven";
}

TEST_F(JournalTest, ListsOldestFirstWithSuccessionsOnly) {
  int64_t first = begin().id, second = begin().id;
  auto rows = host_.journal().all();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(rows->at(0).id, first);
  EXPECT_EQ(rows->at(1).id, second);
  EXPECT_TRUE(rows->at(0).record.files.empty());
  EXPECT_THAT(rows->at(0).record.successions.at(0).sites, ElementsAre("a.test", "b.test"));
  EXPECT_EQ(host_.journal().find(99).error().code, Code::not_found);
}

TEST_F(JournalTest, ADamagedRecordIsAnErrorNotADeath) {
  begin();
  host_.state().database().handle().exec("UPDATE records SET record = '{}'");
  EXPECT_FALSE(host_.journal().unfinished());
}

TEST_F(JournalTest, BeforeImagesArePrunedByAge) {
  ASSERT_EQ(carry_out(host_.context(), host_.work())->outcome, Outcome::committed);
  std::string directory =
      host_.state().before_directory(host_.last().id, host_.last().record.token);
  auto prune = [&] {
    return prune_before_images(host_.files, host_.state(), host_.journal(), host_.clock.wall(), 90);
  };
  host_.clock.sleep(std::chrono::days(90));
  ASSERT_TRUE(prune());
  EXPECT_TRUE(host_.files.stat(directory));
  host_.clock.sleep(milliseconds(1000));
  ASSERT_TRUE(prune());
  EXPECT_FALSE(host_.files.stat(directory));
}

TEST(ContentDigest, IsTheSha256InHex) {
  EXPECT_EQ(content_digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace certrebind
