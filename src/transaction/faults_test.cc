// Every write fails, once or for ever from some write on; and no key is ever written to the
// records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "acts/rebind.h"
#include "base/text.h"
#include "transaction/testing.h"
#include "transaction/transaction.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Fault = FaultyFiles::Fault;

int count_writes() {
  FakeHost host({"a.test", "b.test"});
  FaultyFiles counting(host.files, 0, Fault::once, 0);
  EXPECT_TRUE(carry_out(host.context(counting), host.work()));
  return counting.calls();
}

class EveryWriteFails : public ::testing::TestWithParam<std::tuple<Fault, int>> {};

TEST_P(EveryWriteFails, LeavesOldOrNewAndSaysSo) {
  auto [fault, number] = GetParam();
  int writes = count_writes();
  for (int nth = 1; nth <= writes; nth += sweep_step()) {
    std::string where = "write " + std::to_string(nth) + ": ";
    FakeHost host({"a.test", "b.test"});
    FaultyFiles faulty(host.files, nth, fault, number);
    auto account = carry_out(host.context(faulty), host.work());
    ASSERT_TRUE(account) << where << account.error().message();
    where += account->text + "\n";
    std::string side = host.on_disk();
    EXPECT_TRUE(side == "old" || side == "new") << where << side;
    // A failed restore stays open: it is finished once files can be written again.
    if (TransactionRow row = host.last(); row.outcome) {
      EXPECT_EQ(row.outcome, account->outcome) << where;
    } else {
      EXPECT_EQ(account->outcome, Outcome::needs_operator) << where;
      auto finished = recover(host.context(), &host.service, std::move(row));
      ASSERT_TRUE(finished) << where;
      EXPECT_EQ(finished->outcome, Outcome::rolled_back) << where << finished->text;
      EXPECT_EQ(host.on_disk(), "old") << where;
      EXPECT_TRUE(host.is_tidy()) << where;
    }
    if (account->outcome == Outcome::committed) {
      EXPECT_EQ(side, "new") << where;
      EXPECT_EQ(host.served(), "new") << where;
    } else {
      EXPECT_EQ(host.served(), "old") << where << "nothing was reloaded";
    }
    if (account->outcome == Outcome::refused || account->outcome == Outcome::rolled_back) {
      EXPECT_EQ(side, "old") << where;
    }
    if (fault == Fault::once) {
      EXPECT_NE(account->outcome, Outcome::needs_operator) << where;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryWriteFails,
                         ::testing::Combine(::testing::Values(Fault::once, Fault::for_ever),
                                            ::testing::Values(ENOSPC, EACCES)));

TEST(Faults, WithoutExchangeTheFilesAreReplacedAllTheSame) {
  FakeHost host({"a.test", "b.test"});
  host.files.can_exchange = false;
  EXPECT_EQ(carry_out(host.context(), host.work())->outcome, Outcome::committed);
  EXPECT_EQ(host.on_disk(), "new");
}

// The base64 of every line of a key's body.
std::vector<std::string> lines_of_key(const std::string& pem) {
  std::vector<std::string> lines;
  for (const std::string& line : split(pem, '\n'))
    if (line.size() >= 16 && !line.starts_with("-----")) lines.push_back(line);
  return lines;
}

void expect_no_key_written(FakeHost& host) {
  std::string written = host.everything_written();
  EXPECT_GT(written.size(), 10'000U);
  for (const auto& certificates : {host.old_ones, host.new_ones})
    for (const TestCertificate& certificate : certificates)
      for (const std::string& line : lines_of_key(certificate.key_pem))
        EXPECT_THAT(written, Not(HasSubstr(line)));
  EXPECT_THAT(written, Not(HasSubstr("PRIVATE KEY")));
}

TEST(Keys, AreNeverWrittenDown) {
  FakeHost committed;
  ASSERT_EQ(carry_out(committed.context(), committed.work())->outcome, Outcome::committed);
  expect_no_key_written(committed);
  FakeHost restored;
  restored.processes.on_signal = {};
  ASSERT_EQ(carry_out(restored.context(), restored.work())->outcome, Outcome::rolled_back);
  expect_no_key_written(restored);
  FakeHost raced;
  raced.files.put(raced.key_path(0), raced.new_ones[0].key_pem);
  ASSERT_EQ(carry_out(raced.context(), raced.work())->outcome, Outcome::refused);
  expect_no_key_written(raced);
}

}  // namespace
}  // namespace certrebind
