// After a crash, the next process that takes the lock brings the host to all old or all new.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "transaction/testing.h"
#include "transaction/transaction.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

Result<TransactionResult> recover_last(FakeHost& host, Files& files) {
  return recover(host.context(files), &host.service, host.last());
}

// After a recovery: one side on disk, served and in the journal.
void expect_settled(FakeHost& host, const TransactionResult& account, const std::string& where) {
  std::string side = account.outcome == Outcome::committed ? "new" : "old";
  EXPECT_NE(account.outcome, Outcome::needs_operator) << where << account.text;
  EXPECT_EQ(host.on_disk(), side) << where << account.text;
  EXPECT_EQ(host.served(), side) << where << account.text;
  EXPECT_TRUE(host.is_tidy()) << where;
  EXPECT_EQ(host.last().outcome, account.outcome) << where;
  EXPECT_TRUE(host.journal().unfinished()->empty()) << where;
}

class RecoveryTest : public ::testing::Test {
 protected:
  // Files and server all new, the journal at `phase`.
  void leave_all_new_at(Phase phase) {
    ASSERT_EQ(carry_out(host_.context(), host_.work())->outcome, Outcome::committed);
    ASSERT_EQ(host_.served(), "new");
    host_.interrupt(phase);
  }
  std::vector<EventId> events() {
    std::vector<EventId> ids;
    auto found = events_after(host_.state().database(), 0);
    for (const Event& event : *found) ids.push_back(event.id);
    return ids;
  }

  FakeHost host_{{"a.test", "b.test"}};
};

TEST_F(RecoveryTest, CommitsWhatWasBeingVerifiedAndIsServed) {
  leave_all_new_at(Phase::verifying);
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::committed);
  expect_settled(host_, *account, "");
  EXPECT_THAT(events(), ::testing::Contains(EventId::finished_after_crash));
}

TEST_F(RecoveryTest, RestoresFromEveryEarlierPhase) {
  for (Phase phase :
       {Phase::swapping, Phase::swapped, Phase::tested, Phase::reloading, Phase::restoring}) {
    leave_all_new_at(phase);
    auto account = recover_last(host_, host_.files);
    ASSERT_TRUE(account);
    EXPECT_EQ(account->outcome, Outcome::rolled_back) << to_text(phase) << account->text;
    EXPECT_THAT(account->text, HasSubstr("interrupted in the phase '" + to_text(phase) + "'"));
    expect_settled(host_, *account, to_text(phase));
  }
  EXPECT_THAT(events(), ::testing::Contains(EventId::restored_after_crash));
}

// It was interrupted while it restored, before the server was told anything. The server's broken
// configuration is then no reason for an operator.
TEST_F(RecoveryTest, AServerThatWasNeverToldNeedsNoReload) {
  leave_all_new_at(Phase::restoring);
  for (size_t i = 0; i < host_.sites.size(); ++i) {
    host_.files.overwrite(host_.certificate_path(i), host_.old_ones[i].chain_pem);
    host_.files.overwrite(host_.key_path(i), host_.old_ones[i].key_pem);
  }
  host_.server_reads();
  host_.processes.signals.clear();
  host_.commands.answer = [](const Command&) {
    return Result<CommandOutput>(CommandOutput{.status = 1, .output = "[emerg] unknown directive"});
  };
  TransactionRow row = host_.last();
  row.record.told = false;
  ASSERT_TRUE(host_.journal().update_record(row));
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::rolled_back) << account->text;
  EXPECT_THAT(account->text, HasSubstr("the server was not told to reload"));
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_THAT(events(), ::testing::Contains(EventId::restored_after_crash));
}

// Before a restore there was no good state, so recovery goes forward if the server's test passes.
TEST_F(RecoveryTest, WhatMendsGoesForwardIfItMayBeLoaded) {
  TransactionRequest work = host_.work();
  work.mends = true;
  ASSERT_EQ(carry_out(host_.context(), work)->outcome, Outcome::committed);
  host_.interrupt(Phase::reloading);
  host_.processes.signals.clear();
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::committed) << account->text;
  EXPECT_EQ(host_.processes.signals.size(), 1U) << "nobody knows whether it was told";

  host_.interrupt(Phase::reloading);
  host_.processes.signals.clear();
  host_.commands.answer = [](const Command&) {
    return Result<CommandOutput>(
        CommandOutput{.status = 1, .output = "[emerg] no", .took = milliseconds(10)});
  };
  account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_NE(account->outcome, Outcome::committed);
  EXPECT_TRUE(host_.processes.signals.empty()) << "a server may end of what it cannot load";
}

TEST_F(RecoveryTest, RestoresWhatWasBeingVerifiedAndIsNotServed) {
  auto before = host_.network.table;
  leave_all_new_at(Phase::verifying);
  host_.network.table = before;
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::rolled_back);
  expect_settled(host_, *account, "");
}

TEST_F(RecoveryTest, RestoresWhereTheServerIsDown) {
  leave_all_new_at(Phase::verifying);
  host_.service.how.signal.reset();
  host_.network.table.clear();
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::rolled_back) << account->text;
  EXPECT_EQ(host_.on_disk(), "old");
}

TEST_F(RecoveryTest, PutsTheFilesBackWhereTheServiceIsGone) {
  leave_all_new_at(Phase::swapped);
  auto account = recover(host_.context(), nullptr, host_.last());
  ASSERT_TRUE(account);
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_TRUE(host_.is_tidy());
  EXPECT_TRUE(host_.journal().unfinished()->empty());
}

TEST_F(RecoveryTest, LeavesAloneWhatSomebodyElseChanged) {
  leave_all_new_at(Phase::swapped);
  host_.files.put(host_.certificate_path(1), "somebody's");
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(host_.files.read(host_.certificate_path(1), kPemLimit).value(), "somebody's");
  EXPECT_EQ(host_.files.read(host_.certificate_path(0), kPemLimit).value(),
            host_.old_ones[0].chain_pem);
  EXPECT_THAT(host_.last().account + account->text,
              HasSubstr(host_.certificate_path(1) + " was changed by another program"));
}

// The process died between two steps of the swap; then another program wrote through our link.
TEST_F(RecoveryTest, WhatWasWrittenThroughALinkOfOursBecomesAFileAgain) {
  const std::string path = host_.certificate_path(1);
  int writes = 0;
  while (host_.files.lstat(path)->kind != FileKind::symlink) {
    FaultyFiles fatal(host_.files, ++writes, FaultyFiles::Fault::power, 0);
    EXPECT_THROW((void)carry_out(host_.context(fatal), host_.work()), PowerFailure);
    if (host_.files.lstat(path)->kind == FileKind::symlink) break;
    ASSERT_TRUE(recover_last(host_, host_.files));
  }
  host_.files.overwrite(path, "somebody's");
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::needs_operator) << "half of a set is theirs";
  EXPECT_THAT(account->text, HasSubstr(path + " was changed by another program"));
  EXPECT_EQ(host_.files.lstat(path)->kind, FileKind::regular);
  EXPECT_EQ(host_.files.read(path, kPemLimit).value(), "somebody's");
  EXPECT_EQ(host_.files.read(host_.certificate_path(0), kPemLimit).value(),
            host_.old_ones[0].chain_pem);
  EXPECT_TRUE(host_.is_tidy());
}

TEST_F(RecoveryTest, DoesNotPutBackAnImageThatIsNotWhatItWas) {
  leave_all_new_at(Phase::swapped);
  host_.files.put(host_.state().before_directory(1, host_.last().record.token) + "/0", "damaged");
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::needs_operator);
  EXPECT_EQ(host_.on_disk(), "new");
  EXPECT_THAT(account->text, HasSubstr("its content does not match the journal"));
}

TEST_F(RecoveryTest, AnEndpointThatWasDownBeforeHoldsUpNothing) {
  auto only_a = [&](int, int) {
    host_.server_reads();
    host_.network.table.erase({444, "b.test"});
  };
  host_.processes.on_signal = only_a;
  host_.network.table.erase({444, "b.test"});
  ASSERT_EQ(carry_out(host_.context(), host_.work())->outcome, Outcome::committed);
  host_.interrupt(Phase::verifying);
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::committed) << account->text;
}

// Points at which certrebind dies while the host goes on: between any two steps.
class DiesAt : public RecoveryTest, public ::testing::WithParamInterface<Phase> {};

TEST_P(DiesAt, EachMarkAndIsRecovered) {
  host_.watcher.on_phase = [](Phase phase) {
    if (phase == GetParam()) throw PowerFailure{};
  };
  EXPECT_THROW((void)carry_out(host_.context(), host_.work()), PowerFailure);
  host_.watcher.on_phase = {};
  EXPECT_NE(host_.on_disk(), "between");
  auto account = recover_last(host_, host_.files);
  ASSERT_TRUE(account);
  expect_settled(host_, *account, to_text(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Phases, DiesAt,
                         ::testing::Values(Phase::planned, Phase::staged, Phase::swapping,
                                           Phase::swapped, Phase::tested, Phase::reloading,
                                           Phase::verifying),
                         [](const auto& phase) { return to_text(phase.param); });

// One site is sufficient: its two files already need the pivot. Counts the writes of a transaction
// that commits, or is rolled back.
int count_writes(bool rolls_back) {
  FakeHost host;
  if (rolls_back) host.processes.on_signal = {};
  FaultyFiles counting(host.files, 0, FaultyFiles::Fault::once, 0);
  EXPECT_TRUE(carry_out(host.context(counting), host.work()));
  return counting.calls();
}

enum class Crash { process, power_nothing_survives, power_all_survives, power_some_survives };

void crash(FakeHost& host, Crash kind, unsigned seed) {
  std::minstd_rand random(seed + 1);
  if (kind == Crash::power_nothing_survives) host.reboots([] { return false; });
  if (kind == Crash::power_all_survives) host.reboots([] { return true; });
  if (kind == Crash::power_some_survives) host.reboots([&] { return random() % 2 == 0; });
}

class CrashAtEveryWrite : public ::testing::TestWithParam<std::tuple<Crash, bool>> {};

TEST_P(CrashAtEveryWrite, LeavesOldOrNewAndIsRecovered) {
  auto [kind, rolls_back] = GetParam();
  int writes = count_writes(rolls_back);
  ASSERT_GT(writes, 30);
  for (int nth = 1; nth <= writes; nth += sweep_step()) {
    std::string where = "write " + std::to_string(nth) + ": ";
    FakeHost host;
    host.settings.verify_at_least = milliseconds(60);
    if (rolls_back) host.processes.on_signal = {};
    FaultyFiles fatal(host.files, nth, FaultyFiles::Fault::power, 0);
    EXPECT_THROW((void)carry_out(host.context(fatal), host.work()), PowerFailure) << where;
    crash(host, kind, static_cast<unsigned>(nth));
    EXPECT_TRUE(host.on_disk() == "old" || host.on_disk() == "new") << where << host.on_disk();
    Phase phase = host.last().phase;
    if (phase == Phase::planned || phase == Phase::staged) {
      EXPECT_EQ(host.on_disk(), "old") << where << "swapped before it was marked";
    }
    host.processes.on_signal = [&](int, int) { host.server_reads(); };
    auto account = recover_last(host, host.files);
    ASSERT_TRUE(account) << where << account.error().message();
    expect_settled(host, *account, where);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CrashAtEveryWrite,
    ::testing::Combine(::testing::Values(Crash::process, Crash::power_nothing_survives,
                                         Crash::power_all_survives, Crash::power_some_survives),
                       ::testing::Bool()));

// The recovery also dies, at each of its own writes, and is recovered.
TEST(RecoveryOfRecovery, FromEveryWriteOfARecovery) {
  for (bool loses_power : {false, true})
    for (int nth = 1;; nth += sweep_step()) {
      std::string where = "write " + std::to_string(nth) + " of the recovery: ";
      FakeHost host;
      host.watcher.on_phase = [](Phase phase) {
        if (phase == Phase::reloading) throw PowerFailure{};
      };
      EXPECT_THROW((void)carry_out(host.context(), host.work()), PowerFailure);
      host.watcher.on_phase = {};
      FaultyFiles fatal(host.files, nth, FaultyFiles::Fault::power, 0);
      bool died = false;
      try {
        ASSERT_TRUE(recover_last(host, fatal));
      } catch (const PowerFailure&) {
        died = true;
      }
      if (!died) break;
      if (loses_power) crash(host, Crash::power_some_survives, static_cast<unsigned>(nth));
      EXPECT_TRUE(host.on_disk() == "old" || host.on_disk() == "new") << where;
      auto account = recover_last(host, host.files);
      ASSERT_TRUE(account) << where;
      expect_settled(host, *account, where);
    }
}

}  // namespace
}  // namespace certrebind
