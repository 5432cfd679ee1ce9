#include "transaction/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/attention.h"
#include "transaction/file_swap.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<CommandOutput> says(int status, const std::string& output) {
  return CommandOutput{.status = status, .output = output, .took = milliseconds(10)};
}

class TransactionTest : public ::testing::Test {
 protected:
  TransactionResult carry_out_well(TransactionRequest work) {
    auto account = carry_out(host_.context(), std::move(work));
    EXPECT_TRUE(account) << account.error().message();
    return account ? *account : TransactionResult{};
  }
  TransactionResult run() { return carry_out_well(host_.work()); }

  // The server's test fails the `nth` time and from then on.
  void fail_test_from(size_t nth) {
    host_.commands.answer = [this, nth](const Command&) {
      bool bad = host_.commands.ran.size() >= nth;
      return says(bad ? 1 : 0, bad ? "[emerg] cannot load certificate" : "");
    };
  }
  // Of the tests only the first one, of the new files, fails.
  void fail_test_of_new() {
    host_.commands.answer = [this](const Command&) {
      bool bad = host_.commands.ran.size() == 1;
      return says(bad ? 1 : 0, bad ? "[emerg] cannot load certificate" : "");
    };
  }
  std::vector<EventId> events() {
    std::vector<EventId> ids;
    auto found = events_after(host_.state().database(), 0);
    for (const Event& event : *found) ids.push_back(event.id);
    return ids;
  }
  void expect_rolled_back(const TransactionResult& account) {
    EXPECT_EQ(account.outcome, Outcome::rolled_back) << account.text;
    EXPECT_EQ(host_.on_disk(), "old");
    EXPECT_EQ(host_.served(), "old");
    EXPECT_TRUE(host_.is_tidy());
    TransactionRow row = host_.last();
    EXPECT_EQ(row.phase, Phase::restored);
    EXPECT_EQ(row.outcome, Outcome::rolled_back);
    EXPECT_EQ(row.account, account.text);
  }

  FakeHost host_{{"a.test", "b.test"}};
};

// Restores vanished files: after a failure at any point, no empty file is left.
TEST_F(TransactionTest, WhatWasAbsentIsAbsentAgain) {
  TransactionRequest work = host_.work();
  work.act = Act::restore;
  work.mends = true;
  for (PlannedFile& file : work.files) {
    ASSERT_TRUE(host_.files.remove(file.path));
    file.before.clear();
    file.is_absent = true;
  }
  fail_test_from(1);
  TransactionResult account = carry_out_well(work);
  EXPECT_EQ(account.outcome, Outcome::rolled_back) << account.text;
  for (const PlannedFile& file : work.files) EXPECT_FALSE(host_.files.lstat(file.path));
  EXPECT_TRUE(host_.is_tidy());
  fail_test_from(SIZE_MAX);
  EXPECT_EQ(carry_out_well(work).outcome, Outcome::committed);
  EXPECT_EQ(host_.on_disk(), "new");
  EXPECT_EQ(host_.files.lstat(host_.key_path(0))->mode, 0600U);
}

TEST_F(TransactionTest, WhatMendsIsTestedAlsoWhereNoFileIsWritten) {
  TransactionRequest work = host_.work();
  work.files.clear();
  work.mends = true;
  fail_test_from(1);
  TransactionResult account = carry_out_well(work);
  EXPECT_EQ(account.outcome, Outcome::rolled_back) << account.text;
  EXPECT_TRUE(host_.processes.signals.empty()) << "a server may end of what it cannot load";
}

TEST_F(TransactionTest, AModeThatIsChangedIsChangedBack) {
  const std::string path = host_.certificate_path(0);
  const uint32_t before = host_.files.lstat(path)->mode;
  TransactionRequest work = host_.work();
  for (PlannedFile& file : work.files)
    if (file.path == path) file.mode = {before, 0600};
  fail_test_of_new();
  expect_rolled_back(carry_out_well(work));
  EXPECT_EQ(host_.files.lstat(path)->mode, before);
  fail_test_from(SIZE_MAX);
  EXPECT_EQ(carry_out_well(work).outcome, Outcome::committed);
  EXPECT_EQ(host_.files.lstat(path)->mode, 0600U);
}

TEST_F(TransactionTest, ASiteThatTheReloadSilencesIsNoSuccess) {
  const Address elsewhere = {.host = "127.0.0.1", .port = 900, .unix_path = {}};
  host_.network.table[{elsewhere.port, "c.test"}] = host_.network.table.begin()->second;
  TransactionRequest work = host_.work();
  work.others = {{.address = elsewhere,
                  .sni = "c.test",
                  .site = "c.test",
                  .old_thumbprint = host_.old_ones[0].thumbprint,
                  .new_thumbprint = host_.old_ones[0].thumbprint}};
  TransactionResult account = carry_out_well(work);  // the server reads its old configuration
  EXPECT_EQ(account.outcome, Outcome::needs_operator) << account.text;
  EXPECT_THAT(account.text,
              HasSubstr("after the reload, other sites of the server no longer answer"));
  EXPECT_THAT(account.text, HasSubstr("c.test"));
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_EQ(host_.served(), "old");
}

TEST_F(TransactionTest, ASiteThatWasSilentBeforeHoldsNobodyUp) {
  TransactionRequest work = host_.work();
  work.others = {{.address = {.host = "127.0.0.1", .port = 900, .unix_path = {}},
                  .sni = "c.test",
                  .site = "c.test",
                  .old_thumbprint = host_.old_ones[0].thumbprint,
                  .new_thumbprint = host_.old_ones[0].thumbprint}};
  EXPECT_EQ(carry_out_well(work).outcome, Outcome::committed);
}

TEST_F(TransactionTest, SomebodyElseAtTheAddressIsNoSuccess) {
  Process orphan;
  orphan.pid = 90;
  orphan.parent = 1;
  orphan.executable = "/usr/sbin/fake-server";
  TransactionRequest work = host_.work();
  host_.processes.bound = {{500, work.expectations.front().address}};
  host_.processes.held[100] = {500};
  host_.processes.also_holding = {{orphan, 500, SocketHolder::Waits::yes}};
  TransactionResult account = carry_out_well(work);
  EXPECT_EQ(account.outcome, Outcome::rolled_back) << account.text;
  EXPECT_THAT(account.text, HasSubstr("process 90 (/usr/sbin/fake-server"));
  EXPECT_EQ(host_.on_disk(), "old");
}

TEST_F(TransactionTest, Commits) {
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::committed) << account.text;
  EXPECT_FALSE(account.owed);
  EXPECT_EQ(account.text, "2 endpoints and names show the new certificate");
  EXPECT_EQ(host_.on_disk(), "new");
  EXPECT_EQ(host_.served(), "new");
  EXPECT_TRUE(host_.is_tidy());
  TransactionRow row = host_.last();
  EXPECT_EQ(row.id, account.transaction);
  EXPECT_EQ(row.phase, Phase::committed);
  EXPECT_EQ(row.outcome, Outcome::committed);
  EXPECT_TRUE(row.ended);
  EXPECT_THAT(events(), ElementsAre(EventId::started, EventId::installed, EventId::committed,
                                    EventId::committed))
      << "once for each certificate";
}

TEST_F(TransactionTest, MarksEachPhaseBeforeItsAct) {
  std::vector<std::string> order;
  auto note = [&](const std::string& act) {
    order.push_back(to_text(host_.last().phase) + ": " + act + ", " + host_.on_disk());
  };
  host_.commands.answer = [&](const Command&) {
    note("test");
    return says(0, "");
  };
  host_.processes.on_signal = [&](int pid, int number) {
    note("signal " + std::to_string(number) + " to " + std::to_string(pid));
    host_.server_reads();
  };
  run();
  // The test starts as soon as every reader finds the new files.
  EXPECT_THAT(order, ElementsAre("swapping: test, new", "reloading: signal 1 to 100, new"));
  EXPECT_THAT(host_.watcher.phases,
              ElementsAre(Phase::planned, Phase::staged, Phase::swapping, Phase::swapped,
                          Phase::tested, Phase::reloading, Phase::verifying, Phase::committed));
}

TEST_F(TransactionTest, KeepsBeforeImagesToItself) {
  run();
  TransactionRow row = host_.last();
  std::string directory = host_.state().before_directory(row.id, row.record.token);
  EXPECT_EQ(host_.files.stat(directory)->mode, 0700U);
  for (size_t i = 0; i < row.record.files.size(); ++i)
    EXPECT_EQ(host_.files.stat(directory + "/" + std::to_string(i))->mode, 0600U);
  EXPECT_EQ(read_before_image(host_.files, host_.state(), row, 1).value(),
            host_.old_ones[0].key_pem);
  EXPECT_EQ(host_.files.stat(host_.key_path(0))->mode, 0600U);
  EXPECT_EQ(host_.files.stat(host_.certificate_path(0))->mode, 0644U);
}

TEST_F(TransactionTest, RefusesWhereTheConfigurationIsBrokenAlready) {
  fail_test_from(1);
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::refused);
  EXPECT_THAT(account.text, HasSubstr("[emerg] cannot load certificate"));
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_TRUE(host_.is_tidy());
  EXPECT_FALSE(host_.files.stat(
      host_.state().before_directory(account.transaction, host_.last().record.token)));
  EXPECT_THAT(events(), ElementsAre(EventId::started, EventId::refused));
}

// Asks which endpoints answer once everything is staged: the files were compared, but not swapped
// yet.
TEST_F(TransactionTest, RefusesWhatWasEditedWhileFilesWereStaged) {
  host_.watcher.on_phase = [&](Phase phase) {
    if (phase == Phase::staged)
      host_.files.overwrite(host_.certificate_path(0), "the administrator's");
  };
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::refused) << account.text;
  EXPECT_THAT(account.text, HasSubstr("somebody changed it"));
  EXPECT_THAT(account.text, HasSubstr("nothing was changed"));
  EXPECT_EQ(host_.files.read(host_.certificate_path(0), kPemLimit).value(), "the administrator's");
  EXPECT_THAT(host_.watcher.phases, ElementsAre(Phase::planned, Phase::staged, Phase::refused));
  EXPECT_TRUE(host_.is_tidy());
}

TEST_F(TransactionTest, RefusesWhereTheTestCannotBeRun) {
  host_.commands.answer = [](const Command&) -> Result<CommandOutput> {
    return fail(Code::not_found, "run", "fake-server", "No such file or directory");
  };
  EXPECT_EQ(run().outcome, Outcome::refused);
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(TransactionTest, AReloadIsRefusedWhereTheTestCannotBeRun) {
  host_.commands.answer = [](const Command&) -> Result<CommandOutput> {
    return fail(Code::not_found, "run", "fake-server", "No such file or directory");
  };
  TransactionRequest work = host_.work();
  work.files.clear();
  EXPECT_EQ(carry_out_well(work).outcome, Outcome::refused);
}

TEST_F(TransactionTest, RefusesWhereAFileIsNotWhatWasPlanned) {
  host_.files.put(host_.key_path(1), "somebody's");
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::refused);
  EXPECT_THAT(account.text, HasSubstr(host_.key_path(1)));
  EXPECT_EQ(host_.files.read(host_.key_path(1), kPemLimit).value(), "somebody's");
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_TRUE(host_.is_tidy());
}

TEST_F(TransactionTest, RollsBackWhereTheTestFailsAfterTheSwap) {
  fail_test_of_new();
  TransactionResult account = run();
  expect_rolled_back(account);
  EXPECT_THAT(account.text, HasSubstr("the server's own test rejects the new files"));
  EXPECT_THAT(account.text, HasSubstr("4 files restored"));
  EXPECT_FALSE(host_.last().record.told);
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_THAT(events(), ElementsAre(EventId::started, EventId::rolled_back));
}

TEST_F(TransactionTest, RollsBackWhereTheSignalIsIgnored) {
  host_.processes.on_signal = {};
  SteadyTime begin = host_.clock.steady();
  TransactionResult account = run();
  expect_rolled_back(account);
  EXPECT_THAT(account.text, HasSubstr("2 of 2 endpoints and names do not serve"));
  EXPECT_THAT(account.text, HasSubstr("2 of 2 endpoints and names show the old certificate"));
  EXPECT_GE(host_.clock.steady() - begin, host_.settings.verify_at_least);
  EXPECT_TRUE(host_.last().record.told);
  EXPECT_EQ(host_.processes.signals.size(), 2U);
}

TEST_F(TransactionTest, WaitsLongerForAServerWhoseTestTookLong) {
  host_.processes.on_signal = {};
  host_.commands.answer = [](const Command&) {
    return CommandOutput{.status = 0, .output = {}, .took = milliseconds(300)};
  };
  SteadyTime begin = host_.clock.steady();
  run();
  EXPECT_GE(host_.clock.steady() - begin, milliseconds(1'500)) << "five times as long, not 500 ms";
}

TEST_F(TransactionTest, NeedsAnOperatorWhereTheMasterDies) {
  host_.processes.on_signal = [&](int, int) {
    host_.processes.processes.clear();
    host_.network.table.clear();
  };
  SteadyTime begin = host_.clock.steady();
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::needs_operator);
  EXPECT_LT(host_.clock.steady() - begin, milliseconds(1000)) << "no use to wait for the dead";
  EXPECT_THAT(account.text, HasSubstr("main process is gone"));
  EXPECT_THAT(account.text, HasSubstr("restart the server"));
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_TRUE(host_.is_tidy());
  EXPECT_EQ(host_.last().phase, Phase::stuck);
  EXPECT_THAT(events(),
              ElementsAre(EventId::started, EventId::needs_operator, EventId::needs_attention));
}

TEST_F(TransactionTest, WhatNeedsAPersonIsListedUntilALaterOneEndsWell) {
  host_.processes.processes[0].started = 8;
  ASSERT_EQ(run().outcome, Outcome::needs_operator);
  auto listed = attention(host_.state().database());
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().sentence, "fake:/etc/fake/fake.conf: the last rebind did not complete");
  EXPECT_THAT(listed->front().next, HasSubstr("certrebind history show 1"));
  host_.processes.processes[0].started = 7;
  ASSERT_EQ(run().outcome, Outcome::committed);
  EXPECT_TRUE(attention(host_.state().database())->empty());
}

TEST_F(TransactionTest, NeverSignalsAnotherProcessWithTheSamePid) {
  host_.processes.processes[0].started = 8;
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::needs_operator) << "what serves is gone";
  EXPECT_THAT(account.text, HasSubstr("restart the server"));
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_EQ(host_.on_disk(), "old");
}

TEST_F(TransactionTest, RollsBackWhereOneOfTwoEndpointsDoesNotChange) {
  auto before = host_.network.table;
  host_.processes.on_signal = [&](int, int) {
    host_.server_reads();
    host_.network.table[{444, "b.test"}] = before[{444, "b.test"}];
  };
  TransactionResult account = run();
  expect_rolled_back(account);
  EXPECT_THAT(account.text, HasSubstr("1 of 2 endpoints and names do not serve"));
  EXPECT_THAT(account.text,
              HasSubstr("127.0.0.1:444 (b.test) serves " + host_.old_ones[1].thumbprint.brief()));
}

TEST_F(TransactionTest, RollsBackWhereAnotherCertificateAppears) {
  TestCertificate stranger = host_.issuer.issue({.names = {"a.test"}});
  int signals = 0;
  host_.processes.on_signal = [&](int, int) {
    host_.server_reads();
    if (++signals == 1) host_.network.serve(443, "a.test", stranger);
  };
  TransactionResult account = run();
  expect_rolled_back(account);
  EXPECT_THAT(account.text, HasSubstr("serves " + stranger.thumbprint.brief()));
}

TEST_F(TransactionTest, AnOldWorkerThatStillAnswersIsNoProof) {
  auto before = host_.network.table;
  host_.processes.on_signal = [&](int, int) { host_.server_reads(); };
  // Every fourth connection reaches a worker with the old certificate, for ever.
  host_.network.on_connect = [&](const Address&) {
    if (host_.on_disk() != "new" || host_.processes.signals.size() != 1) return;
    if (host_.network.connections % 4 == 0) {
      host_.network.table = before;
    } else {
      host_.server_reads();
    }
  };
  EXPECT_NE(run().outcome, Outcome::committed);
  EXPECT_EQ(host_.on_disk(), "old");
}

TEST_F(TransactionTest, CommitsWithProofOwedWhereTheServerIsDown) {
  host_.service.how.signal.reset();
  host_.network.table.clear();
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::committed);
  EXPECT_TRUE(account.owed);
  EXPECT_TRUE(host_.last().owed);
  EXPECT_EQ(host_.on_disk(), "new");
  EXPECT_TRUE(host_.is_tidy());
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_EQ(host_.commands.ran.size(), 1U) << "tested once, with the new files";
  EXPECT_THAT(events(), ElementsAre(EventId::started, EventId::proof_owed, EventId::committed,
                                    EventId::committed));
}

TEST_F(TransactionTest, RollsBackADownServerWhoseTestFails) {
  host_.service.how.signal.reset();
  fail_test_of_new();
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::rolled_back);
  EXPECT_EQ(host_.on_disk(), "old");
  EXPECT_THAT(account.text, HasSubstr("the server is not running"));
}

TEST_F(TransactionTest, OwesTheProofOfWhatWasDownBefore) {
  host_.network.table.erase({444, "b.test"});
  host_.processes.on_signal = [&](int, int) {
    host_.server_reads();
    host_.network.table.erase({444, "b.test"});
  };
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::committed) << account.text;
  EXPECT_TRUE(account.owed);
  EXPECT_THAT(account.text, HasSubstr("1 endpoint and name shows the new certificate"));
}

TEST_F(TransactionTest, SaysWhatIsSeenWhereNobodyAnswers) {
  host_.network.table.clear();
  host_.processes.on_signal = [](int, int) {};
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::committed) << account.text;
  EXPECT_TRUE(account.owed);
  EXPECT_THAT(account.text, HasSubstr("loaded and tested; no handshake shows it\n2 endpoints"));
}

TEST_F(TransactionTest, WhoAnswersOnlyAfterTheReloadIsProvenLikeTheOthers) {
  host_.network.table.erase({444, "b.test"});
  host_.processes.on_signal = [&](int, int) { host_.server_reads(); };
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::committed) << account.text;
  EXPECT_FALSE(account.owed);
  EXPECT_THAT(account.text, HasSubstr("2 endpoints and names show the new certificate"));
}

// Its handshakes fail, but it is not down.
TEST_F(TransactionTest, AServerWithTheKeyOfAnotherPairMustShowTheNewOne) {
  const std::vector<FakeIdentity> broken = {
      {host_.old_ones[1].chain_pem,
       forged_key_pem(host_.old_ones[1].key_pem, host_.new_ones[1].key_pem)}};
  host_.network.table[{444, "b.test"}] = broken;
  host_.processes.on_signal = [&](int, int) {
    host_.server_reads();
    if (host_.on_disk() == "new") host_.network.table[{444, "b.test"}] = broken;
  };
  expect_rolled_back(run());
}

// Not its chain, and not what its key files hold.
TEST_F(TransactionTest, AServerThatTellsMustNameEachNewCertificate) {
  const std::string chain = "/etc/fake/chain.pem";
  host_.files.put(chain, host_.new_ones[0].chain_pem.substr(host_.new_ones[0].pem.size()));
  host_.service.how.loaded = Command{.arguments = {"tell"}, .root = {}};
  TransactionRequest work = host_.work();
  for (size_t site : {0U, 1U}) {
    work.loads.push_back(host_.certificate_path(site));
    work.loads.push_back(host_.key_path(site));
  }
  work.loads.push_back(chain);
  std::string told;
  host_.processes.on_signal = [&](int, int) { host_.server_reads(); };
  host_.commands.answer = [&](const Command& command) {
    return says(0, command.arguments.front() == "tell" ? told : "");
  };
  told = host_.new_ones[0].thumbprint.hex();
  const TransactionResult half = carry_out_well(work);
  expect_rolled_back(half);
  EXPECT_THAT(half.text, HasSubstr("has not loaded"));
  EXPECT_THAT(half.text, HasSubstr(host_.certificate_path(1)));
  EXPECT_THAT(half.text, Not(HasSubstr(chain)));
  told += "\n" + host_.new_ones[1].thumbprint.hex();
  const TransactionResult whole = carry_out_well(work);
  EXPECT_EQ(whole.outcome, Outcome::committed) << whole.text;
}

// It fails with the new files before anybody could tell it anything.
TEST_F(TransactionTest, WhoReadsFilesForEachConnectionIsAskedBeforeTheSwap) {
  host_.service.how.per_connection = true;
  host_.service.how.signal->signal = 0;
  const auto before = host_.network.table;
  host_.watcher.on_phase = [&](Phase phase) {
    if (phase == Phase::swapped) host_.network.table.clear();
    if (phase == Phase::restoring) host_.network.table = before;
  };
  expect_rolled_back(run());
}

TEST_F(TransactionTest, WhoAnswersOnlyAfterTheReloadMustNotShowTheOldCertificate) {
  auto before = host_.network.table;
  host_.network.table.erase({444, "b.test"});
  host_.processes.on_signal = [&](int, int) {
    bool is_new = host_.on_disk() == "new";
    host_.server_reads();
    if (is_new) host_.network.table[{444, "b.test"}] = before[{444, "b.test"}];
  };
  expect_rolled_back(run());
}

TEST_F(TransactionTest, WhoAnswersOnlyAfterTheReloadWithAThirdCertificateIsNamed) {
  auto other = host_.network.table[{443, "a.test"}];
  host_.network.table.erase({444, "b.test"});
  host_.processes.on_signal = [&](int, int) {
    host_.server_reads();
    host_.network.table[{444, "b.test"}] = other;  // OLD of another site: neither of its own
  };
  TransactionResult account = run();
  EXPECT_EQ(account.outcome, Outcome::committed) << account.text;
  EXPECT_TRUE(account.owed);
  EXPECT_THAT(account.text, HasSubstr("did not answer before, and now serves another certificate"));
  EXPECT_THAT(account.text, Not(HasSubstr("before or after")));
}

TEST_F(TransactionTest, ClientBindingsAreLoadedAndTestedOnly) {
  TransactionRequest work = host_.work();
  work.expectations.clear();
  work.unproven = {"up.test: a client certificate towards an upstream is not probed"};
  TransactionResult account = carry_out_well(std::move(work));
  EXPECT_EQ(account.outcome, Outcome::committed);
  EXPECT_THAT(account.text, HasSubstr("no handshake can show it"));
  EXPECT_THAT(account.text, HasSubstr("not proven: up.test"));
  EXPECT_EQ(host_.processes.signals.size(), 1U);
}

TEST_F(TransactionTest, AServerThatDiesIsNeverASuccess) {
  host_.processes.on_signal = [&](int, int) { host_.processes.processes.clear(); };
  TransactionRequest work = host_.work();
  work.expectations.clear();
  EXPECT_NE(carry_out_well(std::move(work)).outcome, Outcome::committed);
}

}  // namespace
}  // namespace certrebind
