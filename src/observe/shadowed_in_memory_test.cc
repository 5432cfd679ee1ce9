#include "observe/shadowed_in_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "survey/shadowed.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

// One site that names the pairs of "a.test" and then of "b.test", both ECDSA: the second is shown.
class ShadowedInMemoryTest : public ::testing::Test {
 protected:
  ShadowedInMemoryTest() {
    host_.service.adorn = [](Binding& binding) {
      binding.further_pairs = binding.site == "a.test" ? 1 : 0;
      binding.site = "a.test";
      binding.endpoints = {{.address = {"127.0.0.1", kFakePort, ""},
                            .listens = "*:443",
                            .probe_names = {"a.test"},
                            .unproven = unproven_}};
      binding.never_chosen = never_chosen_ && binding.further_pairs == 1;
    };
    host_.network.table.clear();
    shows(host_.old_ones[1]);
  }
  void shows(const TestCertificate& certificate) {
    host_.network.serve(kFakePort, "a.test", certificate);
  }
  // True if the first one is a binding.
  bool is_back() {
    survey_ = host_.survey();
    set_shadowed_apart(survey_);
    for (SurveyedBinding& bound : survey_.shadowed) bound.left_alone = left_alone_;
    EXPECT_EQ(survey_.shadowed.size(), 1u);
    host_.network.connections = 0;
    Asker asker(host_.prober);
    put_back_shown(asker, survey_);
    EXPECT_EQ(survey_.bindings.size() + survey_.shadowed.size(), 2u);
    return survey_.shadowed.empty();
  }

  FakeHost host_{{"a.test", "b.test"}};
  Survey survey_;
  bool left_alone_ = false;
  static inline bool never_chosen_ = false;
  static inline std::string unproven_;

  void TearDown() override {
    never_chosen_ = false;
    unproven_.clear();
  }
};

TEST_F(ShadowedInMemoryTest, WhatTheServerDoesNotShowStaysApart) {
  EXPECT_FALSE(is_back());
  host_.network.table.clear();
  shows(host_.new_ones[1]);
  EXPECT_FALSE(is_back()) << "the winner was renewed, and is not loaded yet";
  host_.network.table.clear();
  EXPECT_FALSE(is_back()) << "nobody answers";
}

TEST_F(ShadowedInMemoryTest, WhatGivesWayAtTheNextReloadStaysApart) {
  host_.network.table.clear();
  shows(host_.old_ones[0]);
  EXPECT_FALSE(is_back());
}

// The file held an RSA certificate when it was loaded: a reload would take it from clients.
TEST_F(ShadowedInMemoryTest, AKeyTypeThatWouldBeLost) {
  shows(host_.issuer.issue({.names = {"a.test"}, .key = TestKey::rsa2048}));
  EXPECT_TRUE(is_back());
}

TEST_F(ShadowedInMemoryTest, ASiteThatTheLastEditHidIsShownUntilTheReload) {
  never_chosen_ = true;
  unproven_ = "no name that can be sent leads here";
  EXPECT_FALSE(is_back());
  host_.network.table.clear();
  shows(host_.old_ones[0]);
  EXPECT_TRUE(is_back());
}

TEST_F(ShadowedInMemoryTest, NothingIsAskedThatMustNotBe) {
  host_.network.table.clear();
  shows(host_.old_ones[0]);
  unproven_ = "it is elsewhere";
  EXPECT_FALSE(is_back());
  EXPECT_EQ(host_.network.connections, 0);
  unproven_.clear();
  left_alone_ = true;
  EXPECT_FALSE(is_back());
  EXPECT_EQ(host_.network.connections, 0);
}

}  // namespace
}  // namespace certrebind
