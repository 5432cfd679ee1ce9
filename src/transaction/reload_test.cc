// Transactions that only reload: other programs wrote the files at the configured paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"
#include "transaction/transaction.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() {
    host_.files.put(host_.certificate_path(0), host_.new_ones[0].chain_pem);
    host_.files.put(host_.key_path(0), host_.new_ones[0].key_pem);
  }
  TransactionRequest reload_work() {
    TransactionRequest work = host_.work();
    work.files.clear();
    return work;
  }
  TransactionResult run(TransactionRequest work) {
    auto account = carry_out(host_.context(), std::move(work));
    EXPECT_TRUE(account) << account.error().message();
    return account ? *account : TransactionResult{};
  }

  FakeHost host_;
};

TEST_F(ReloadTest, Commits) {
  EXPECT_EQ(host_.served(), "old");
  TransactionResult account = run(reload_work());
  EXPECT_EQ(account.outcome, Outcome::committed) << account.text;
  EXPECT_EQ(host_.served(), "new");
  EXPECT_EQ(host_.commands.ran.size(), 1U) << "nothing was swapped between";
  EXPECT_THAT(host_.watcher.phases, ElementsAre(Phase::planned, Phase::staged, Phase::reloading,
                                                Phase::verifying, Phase::committed));
}

TEST_F(ReloadTest, NeedsAnOperatorWhereItFails) {
  host_.processes.on_signal = {};
  TransactionResult account = run(reload_work());
  EXPECT_EQ(account.outcome, Outcome::needs_operator);
  EXPECT_EQ(host_.on_disk(), "new") << "what others wrote stays";
  EXPECT_THAT(account.text, HasSubstr("nothing to restore"));
  EXPECT_THAT(account.text, HasSubstr("kill -HUP 100"));
  EXPECT_EQ(host_.last().phase, Phase::stuck);
}

TEST_F(ReloadTest, SaysWhatIsServedStill) {
  host_.processes.on_signal = {};
  EXPECT_THAT(run(reload_work()).text,
              HasSubstr("1 of 1 endpoint and name still show the old one"));
}

TEST_F(ReloadTest, RefusesWhereTheTestFails) {
  host_.commands.answer = [](const Command&) -> Result<CommandOutput> {
    return CommandOutput{.status = 1, .output = "key values mismatch", .took = {}};
  };
  TransactionResult account = run(reload_work());
  EXPECT_EQ(account.outcome, Outcome::refused);
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_EQ(host_.served(), "old");
}

TEST_F(ReloadTest, ForcedReloadOfWhatIsServedAlready) {
  host_.server_reads();
  TransactionRequest work = reload_work();
  work.expectations[0].old_thumbprint = work.expectations[0].new_thumbprint;
  TransactionResult account = run(std::move(work));
  EXPECT_EQ(account.outcome, Outcome::committed);
  EXPECT_EQ(host_.processes.signals.size(), 1U);
}

TEST_F(ReloadTest, RecoveryCommitsWhatIsServed) {
  run(reload_work());
  for (Phase phase : {Phase::reloading, Phase::verifying}) {
    host_.interrupt(phase);
    auto account = recover(host_.context(), &host_.service, host_.last());
    ASSERT_TRUE(account);
    EXPECT_EQ(account->outcome, Outcome::committed) << account->text;
  }
}

TEST_F(ReloadTest, RecoveryBeforeTheSignalLeavesAllAsItIs) {
  run(reload_work());
  host_.processes.signals.clear();
  for (Phase phase : {Phase::planned, Phase::staged}) {
    host_.interrupt(phase);
    auto account = recover(host_.context(), &host_.service, host_.last());
    ASSERT_TRUE(account);
    EXPECT_NE(account->outcome, Outcome::refused) << account->text;
    EXPECT_EQ(host_.on_disk(), "new");
  }
}

}  // namespace
}  // namespace certrebind
