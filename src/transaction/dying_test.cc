// A server that one bad certificate stops: every pair that it would load is checked first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/key_pairs.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

class DyingTest : public ::testing::Test {
 protected:
  DyingTest() {
    host_.service.when_bad = OnBadCertificate::dies;
    host_.service.rehearses = Rehearsal{};
  }
  void rehearsal_ends_with(RehearsalOutput output) {
    host_.commands.rehearsal = [output](const Rehearsal&) {
      return Result<RehearsalOutput>(output);
    };
  }

  // The new certificate for the first site only; the second belongs to another user.
  TransactionRequest work_for_one() {
    TransactionRequest work = host_.work();
    std::erase_if(work.files, [&](const PlannedFile& file) {
      return file.path == host_.certificate_path(1) || file.path == host_.key_path(1);
    });
    std::erase_if(work.expectations,
                  [&](const Expectation& e) { return e.site == host_.sites[1]; });
    return work;
  }
  std::string on_disk(size_t site) {
    auto now = host_.files.read(host_.certificate_path(site), kPemLimit);
    return *now == host_.new_ones[site].chain_pem ? "new" : "old";
  }

  FakeHost host_{{"a.test", "b.test"}};
};

TEST_F(DyingTest, IsRehearsedAfterTheSwapAndBeforeTheReload) {
  std::string seen;
  host_.commands.rehearsal = [&](const Rehearsal&) {
    seen = on_disk(0);
    EXPECT_TRUE(host_.processes.signals.empty());
    return Result<RehearsalOutput>(RehearsalOutput{.impossible = {}, .came_up = true, .of = {}});
  };
  auto account = carry_out(host_.context(), work_for_one());
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::committed);
  EXPECT_EQ(seen, "new");
}

TEST_F(DyingTest, WhatDoesNotComeUpIsPutBackAndNeverLoaded) {
  rehearsal_ends_with({.impossible = {},
                       .came_up = false,
                       .of = {.status = 1, .output = "AH1 no match", .took = {}}});
  auto account = carry_out(host_.context(), work_for_one());
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::rolled_back);
  EXPECT_THAT(account->text, HasSubstr("AH1 no match"));
  EXPECT_EQ(on_disk(0), "old");
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(DyingTest, WhereNothingCanBeSetApartItIsSaid) {
  rehearsal_ends_with({.impossible = "cannot make namespaces", .came_up = false, .of = {}});
  auto account = carry_out(host_.context(), work_for_one());
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::committed);
  EXPECT_THAT(account->text, HasSubstr("not rehearsed"));
}

// Another program renewed the second site, wrongly, after the plan was made.
TEST_F(DyingTest, APairThatBrokeMeanwhileForbidsTheReload) {
  host_.commands.rehearsal = [&](const Rehearsal&) {
    host_.files.put(host_.key_path(1), "garbage", 0600);
    return Result<RehearsalOutput>(RehearsalOutput{.impossible = {}, .came_up = true, .of = {}});
  };
  auto account = carry_out(host_.context(), work_for_one());
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::rolled_back);
  EXPECT_THAT(account->text, HasSubstr(host_.sites[1]));
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(DyingTest, AServerThatKeepsTheOldOneIsNotAskedForAllItsPairs) {
  host_.service.when_bad = OnBadCertificate::keeps_old;
  host_.service.rehearses.reset();
  host_.service.adorn = [&](Binding& binding) {
    if (binding.site == host_.sites[1]) binding.key.path = "/gone";
  };
  auto account = carry_out(host_.context(), work_for_one());
  ASSERT_TRUE(account);
  EXPECT_EQ(account->outcome, Outcome::committed);
  EXPECT_TRUE(host_.commands.rehearsed.empty());
}

TEST_F(DyingTest, BrokenPairsAreNamed) {
  Discovery found = *host_.service.bindings();
  std::vector<const Binding*> all;
  for (const Binding& binding : found.bindings) all.push_back(&binding);
  EXPECT_TRUE(broken_pairs(host_.files, all).empty());
  host_.files.put(host_.key_path(0), host_.old_ones[1].key_pem, 0600);
  auto broken = broken_pairs(host_.files, all);
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_THAT(broken[0].text(), HasSubstr("belongs to another certificate"));
  host_.files.put(host_.certificate_path(1), "nothing");
  EXPECT_EQ(broken_pairs(host_.files, all).size(), 2u);
}

}  // namespace
}  // namespace certrebind
