#include "acts/notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Attention item(std::string sentence) {
  return {.subject = "s", .sentence = std::move(sentence), .next = "do it", .since = test_now()};
}

class NoticeTest : public ::testing::Test {
 protected:
  std::vector<Attention> told_at(WallTime now, const std::vector<Attention>& needed,
                                 bool is_partial = false) {
    auto told = untold(database_, needed, now);
    EXPECT_TRUE(told && note_told(database_, needed, *told, is_partial, now));
    return *told;
  }
  FakeHost host_;
  Database& database_ = host_.state().database();
};

TEST_F(NoticeTest, EachIsToldOnceAndAgainAfterADay) {
  EXPECT_THAT(told_at(test_now(), {item("a"), item("b")}), SizeIs(2));
  EXPECT_THAT(told_at(test_now() + hours(23), {item("a"), item("b")}), IsEmpty());
  EXPECT_THAT(told_at(test_now() + hours(25), {item("a")}), SizeIs(1));
}

TEST_F(NoticeTest, WhatWasOverIsToldWhenItComesBack) {
  told_at(test_now(), {item("a")});
  told_at(test_now(), {});
  EXPECT_THAT(told_at(test_now(), {item("a")}), SizeIs(1));
}

// While another command is at work, not all is known: what is missing then is not over.
TEST_F(NoticeTest, APartOfItEndsNothing) {
  told_at(test_now(), {item("a")});
  told_at(test_now(), {}, true);
  EXPECT_THAT(told_at(test_now(), {item("a")}), IsEmpty());
}

// A site's name, a path or a certificate is somebody else's text.
TEST_F(NoticeTest, NobodyAddsAHeaderOrALineThatIsRefused) {
  const std::string mail =
      mail_text("ops@example.com", "host",
                {item("x\r\nBcc: eve@example.com\r\n\r\nhello " + std::string(2000, 'y'))});
  EXPECT_THAT(mail, HasSubstr("To: ops@example.com\nSubject: [certrebind host] x"));
  std::istringstream lines(mail);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_FALSE(line.starts_with("Bcc")) << line;
    EXPECT_LT(line.size(), 998U) << "RFC 5322 section 2.1.1";
  }
}

TEST_F(NoticeTest, ACloudEventHasWhatTheSpecificationRequires) {
  auto event =
      nlohmann::json::parse(cloud_event("7", "host", {item("a"), item("\xff")}, test_now()));
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["id"], "7");
  EXPECT_EQ(event["source"], "/certrebind/host");
  EXPECT_EQ(event["type"], "org.certrebind.attention");
  EXPECT_EQ(event["data"]["items"].size(), 2U);
  EXPECT_EQ(event["data"]["items"][0]["next"], "do it");
}

}  // namespace
}  // namespace certrebind
