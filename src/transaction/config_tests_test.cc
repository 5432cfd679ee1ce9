#include "transaction/config_tests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OwnTestsTest : public ::testing::Test {
 protected:
  OwnTestsTest() {
    fake_.commands.answer = [](const Command&) {
      return Result<CommandOutput>(CommandOutput{.status = 0, .output = "another", .took = {}});
    };
  }
  std::vector<Diagnostic> doubts() {
    return tests_.doubts({{&fake_.service, {}, {"what we saw"}, {}}});
  }

  FakeHost fake_;
  Host host_{fake_.files, fake_.processes, fake_.commands, fake_.network, fake_.clock};
  ConfigTests tests_;
};

TEST_F(OwnTestsTest, EachIsBegunOnce) {
  EXPECT_FALSE(tests_.of(fake_.service).valid());
  tests_.begin(host_, fake_.service);
  tests_.begin(host_, fake_.service);
  EXPECT_EQ(fake_.commands.ran.size(), 1U);
  ASSERT_TRUE(tests_.of(fake_.service).valid());
  EXPECT_EQ(tests_.of(fake_.service).get()->output, "another");
}

TEST_F(OwnTestsTest, WhatAServerSeesOtherwiseIsADiagnostic) {
  fake_.service.asks = Command{.arguments = {"fake-server", "-S"}, .root = {}};
  tests_.begin(host_, fake_.service);
  EXPECT_THAT(fake_.commands.ran.front().arguments, ElementsAre("fake-server", "-S"));
  std::vector<Diagnostic> found = doubts();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].message, HasSubstr("another, not what we saw"));
}

TEST_F(OwnTestsTest, AnAnswerThatDoesNotComeIsADiagnostic) {
  fake_.service.asks = Command{.arguments = {"fake-server", "-S"}, .root = {}};
  fake_.commands.answer = [](const Command& command) {
    return Result<CommandOutput>(fail(Code::timed_out, "run", command.text(), "too slow"));
  };
  tests_.begin(host_, fake_.service);
  std::vector<Diagnostic> found = doubts();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].message, HasSubstr("too slow"));
}

TEST_F(OwnTestsTest, ATestThatTellsNothingRaisesNoDoubts) {
  EXPECT_TRUE(doubts().empty()) << "it was not begun";
  tests_.begin(host_, fake_.service);
  EXPECT_TRUE(doubts().empty());
}

}  // namespace
}  // namespace certrebind
