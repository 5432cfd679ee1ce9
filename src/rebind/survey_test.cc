#include "rebind/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rebind/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

TEST(Survey, WhatAServerSeesOtherwiseIsADiagnostic) {
  FakeHost host;
  Services seen;
  auto service = std::make_unique<FakeService>(host.files, kFakeConfig);
  FakeService& asked = *service;
  seen.found.push_back(std::move(service));
  Host whole{host.files, host.processes, host.commands, host.network, host.clock};
  EXPECT_TRUE(ask_servers(whole, seen).empty()) << "one that cannot be asked cheaply is not asked";
  asked.asks = Command{.arguments = {"fake-server", "-S"}, .root = {}};
  host.commands.answer = [](const Command&) {
    return Result<CommandOutput>(CommandOutput{.status = 0, .output = "another", .took = {}});
  };
  std::vector<Diagnostic> doubts = ask_servers(whole, seen);
  ASSERT_EQ(doubts.size(), 1u);
  EXPECT_THAT(doubts[0].message, HasSubstr("another"));
}

}  // namespace
}  // namespace certrebind
