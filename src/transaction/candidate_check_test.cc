#include "transaction/candidate_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

class TrialTest : public ::testing::Test {
 protected:
  TrialTest() {
    fake_.service.when_bad = OnBadCertificate::dies;
    fake_.service.rehearses = Rehearsal{};
  }
  void comes_up(bool it_does) {
    fake_.commands.rehearsal = [it_does](const Rehearsal&) {
      return Result<RehearsalOutput>(
          RehearsalOutput{.impossible = {},
                          .came_up = it_does,
                          .of = {.status = 1, .output = "no", .took = milliseconds(7)}});
    };
  }

  FakeHost fake_;
  Host host_ = fake_.context().host;
  ReloadPreview preview_{&fake_.service, fake_.files};
  CandidateCheck candidate_{&fake_.service, host_, preview_};
};

TEST_F(TrialTest, WhatWasBegunIsNotBegunAgain) {
  comes_up(false);
  candidate_.begin(true);
  EXPECT_TRUE(candidate_.tests());
  EXPECT_THAT(candidate_.why_not_loadable(),
              HasSubstr("does not start with these files (tested in isolation); it says:\n  no"));
  EXPECT_EQ(fake_.commands.rehearsed.size(), 1U);
  EXPECT_EQ(fake_.commands.ran.size(), 1U);
  EXPECT_EQ(candidate_.took(), milliseconds(7));
}

TEST_F(TrialTest, WhatWasBegunOfFilesThatAreTakenBackSaysNothingOfTheOthers) {
  comes_up(false);
  candidate_.begin(true);
  candidate_.abandon();
  EXPECT_FALSE(candidate_.tests());
  comes_up(true);
  EXPECT_EQ(candidate_.why_not_loadable(), "");
  EXPECT_EQ(fake_.commands.rehearsed.size(), 2U);
}

TEST_F(TrialTest, WithoutAServerNothingSpeaksAgainstAnything) {
  ReloadPreview nothing(nullptr, fake_.files);
  CandidateCheck none(nullptr, host_, nothing);
  none.begin(true);
  EXPECT_FALSE(none.tests());
  EXPECT_EQ(none.test()->status, 0);
  EXPECT_EQ(none.why_not_loadable(), "");
}

TEST(Excerpt, OfTheBeginningOrOfTheEnd) {
  const std::string said = "1\n2\n3\n4\n5\n6\n7\n";
  EXPECT_EQ(excerpt(said), "\n  1\n  2\n  3\n  4\n  5\n  6");
  EXPECT_EQ(excerpt(said, true), "\n  2\n  3\n  4\n  5\n  6\n  7");
}

}  // namespace
}  // namespace certrebind
