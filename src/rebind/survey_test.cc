#include "rebind/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rebind/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

TEST(Survey, WhatAServerSeesOtherwiseIsADiagnostic) {
  FakeHost host;
  Survey seen;
  auto service = std::make_unique<FakeService>(host.files, kFakeConfig);
  FakeService& asked = *service;
  seen.services.found.push_back(std::move(service));
  Host whole{host.files, host.processes, host.commands, host.network, host.clock};
  compare_with_servers(whole, seen);
  EXPECT_TRUE(seen.diagnostics.empty()) << "one that cannot be asked cheaply is not asked";
  asked.asks = Command{.arguments = {"fake-server", "-S"}, .root = {}};
  host.commands.answer = [](const Command&) {
    return Result<CommandOutput>(CommandOutput{.status = 0, .output = "another", .took = {}});
  };
  compare_with_servers(whole, seen);
  ASSERT_EQ(seen.diagnostics.size(), 1u);
  EXPECT_THAT(seen.diagnostics[0].message, HasSubstr("another"));
}

}  // namespace
}  // namespace certrebind
