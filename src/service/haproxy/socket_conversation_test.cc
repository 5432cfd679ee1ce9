#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "service/haproxy/live_update.h"

namespace certrebind::haproxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kNothingOpen = "No ongoing transaction!\n\n";

std::string open_about(const std::string& name) {
  return "The ongoing transaction is about '" + name +
         "' but you are trying to abort a transaction for '/certrebind/asks'\n\n";
}

// Runs the conversation. Returns the first lines of the requests.
std::vector<std::string> hold(SocketConversation& dialogue, std::deque<std::string> answers) {
  std::vector<std::string> asked;
  while (auto request = dialogue.request()) {
    asked.push_back(request->substr(0, request->find('\n')));
    if (answers.empty()) break;
    dialogue.hear(answers.front());
    answers.pop_front();
  }
  EXPECT_TRUE(answers.empty());
  return asked;
}

const std::string kProbe = "abort ssl cert /certrebind/asks/whether/a/change/is/open";

TEST(HaproxyQuestion, EveryCertificateIsKnownAndInUse) {
  auto question = ask_about({"/a", "/b c"});
  EXPECT_THAT(hold(*question, {kNothingOpen, "Filename: /a\nStatus: Used\n",
                               "Filename: /b c\nStatus: Used\n"}),
              ElementsAre(kProbe, "show ssl cert /a", "show ssl cert /b\\ c"));
  EXPECT_TRUE(question->outcome());
}

TEST(HaproxyQuestion, SomebodysOpenChangeIsBusy) {
  auto question = ask_about({"/a"});
  hold(*question, {open_about("/x;y")});
  ASSERT_FALSE(question->outcome());
  EXPECT_EQ(question->outcome().error().code, Code::busy);
  EXPECT_THAT(question->outcome().error().hint, HasSubstr("abort ssl cert /x\\;y"));
}

TEST(HaproxyQuestion, AnythingElseMeansAReload) {
  for (const char* answer : {"Permission denied\n\n", "Unknown command.\n", "", "garbage"}) {
    auto question = ask_about({"/a"});
    hold(*question, {answer});
    ASSERT_FALSE(question->outcome());
    EXPECT_EQ(question->outcome().error().code, Code::failed);
  }
  for (const char* answer :
       {"Can't display the certificate: Not found or the certificate is a bundle!\n",
        "Filename: /a\nStatus: Unused\n", "Filename: /ab\nStatus: Used\n"}) {
    auto question = ask_about({"/a"});
    hold(*question, {kNothingOpen, answer});
    EXPECT_FALSE(question->outcome());
  }
}

LiveCertificate certificate(const std::string& name) {
  return {name, "PEM\n", "AB12", "Serial: 1F\nnotBefore: A\nnotAfter: B\n", {}};
}

const std::string kCreated = "Transaction created for certificate /a!\n\n";
const std::string kUpdated = "Transaction updated for certificate /a!\n\n";
const std::string kCommitted = "Committing /a.\nSuccess!\n\n";
const std::string kShown = "Filename: /a\nSHA1 FingerPrint: AB12\n";

TEST(HaproxyUpdate, SetsCommitsAndReadsBack) {
  LiveCertificate whole = certificate("/a");
  whole.companions = {{".issuer", "I\n"}, {".ocsp", "O\n"}};
  auto update = set_and_commit({whole}, false);
  EXPECT_THAT(hold(*update, {kNothingOpen, kCreated, kUpdated, kUpdated, kCommitted, kShown}),
              ElementsAre(kProbe, "set ssl cert /a <<", "set ssl cert /a.issuer <<",
                          "set ssl cert /a.ocsp <<", "commit ssl cert /a", "show ssl cert /a"));
  EXPECT_TRUE(update->outcome());
}

TEST(HaproxyUpdate, AnEmptyLineEndsThePayload) {
  auto update = set_and_commit({certificate("/a")}, false);
  update->hear(kNothingOpen);
  EXPECT_EQ(update->request(), "set ssl cert /a <<\nPEM\n\n");
}

TEST(HaproxyUpdate, WhatIsRefusedIsAborted) {
  auto set = set_and_commit({certificate("/a")}, false);
  EXPECT_THAT(
      hold(*set, {kNothingOpen, "unable to load certificate\nCan't update /a!\n", kNothingOpen}),
      ElementsAre(kProbe, "set ssl cert /a <<", "abort ssl cert /a"));
  EXPECT_THAT(set->outcome().error().cause, HasSubstr("unable to load certificate; Can't update"));

  auto commit = set_and_commit({certificate("/a"), certificate("/b")}, false);
  EXPECT_THAT(hold(*commit, {kNothingOpen, kCreated, "md too weak\nFailed!\n", "aborted"}),
              ElementsAre(kProbe, "set ssl cert /a <<", "commit ssl cert /a", "abort ssl cert /a"));
  EXPECT_FALSE(commit->outcome());
}

TEST(HaproxyUpdate, AChangeThatSomebodyBeganMeanwhileIsNotCommitted) {
  auto update = set_and_commit({certificate("/a")}, false);
  hold(*update, {kNothingOpen, kUpdated, "aborted"});
  EXPECT_FALSE(update->outcome());

  auto later = set_and_commit({certificate("/a")}, false);
  EXPECT_THAT(hold(*later, {open_about("/a")}), ElementsAre(kProbe));
  EXPECT_EQ(later->outcome().error().code, Code::busy);
}

TEST(HaproxyUpdate, WhatACrashLeftOfOursIsTakenBackFirst) {
  auto update = set_and_commit({certificate("/a")}, true);
  EXPECT_THAT(
      hold(*update, {open_about("/a"), "aborted", kNothingOpen, kCreated, kCommitted, kShown}),
      ElementsAre(kProbe, "abort ssl cert /a", kProbe, "set ssl cert /a <<", "commit ssl cert /a",
                  "show ssl cert /a"));
  EXPECT_TRUE(update->outcome());
  // Must not revert another program's change, and must give up on a change that reappears.
  auto other = set_and_commit({certificate("/a")}, true);
  EXPECT_THAT(hold(*other, {open_about("/x")}), ElementsAre(kProbe));
  EXPECT_EQ(other->outcome().error().code, Code::busy);
  auto stubborn = set_and_commit({certificate("/a")}, true);
  hold(*stubborn, {open_about("/a"), "", open_about("/a")});
  EXPECT_FALSE(stubborn->outcome());
}

TEST(HaproxyUpdate, WhatIsReadBackMustBeWhatWasSent) {
  auto update = set_and_commit({certificate("/a")}, false);
  hold(*update, {kNothingOpen, kCreated, kCommitted, "SHA1 FingerPrint: CD34\n"});
  EXPECT_FALSE(update->outcome());
}

// HAProxy's answer ends at the kind of key if it does not know it.
TEST(HaproxyUpdate, WithoutAFingerprintTheSerialNumberAndTheDatesAreReadBack) {
  auto outcome = [](const std::string& shown) {
    auto update = set_and_commit({certificate("/a")}, false);
    hold(*update, {kNothingOpen, kCreated, kCommitted, shown});
    return update->outcome().has_value();
  };
  const std::string head = "Filename: /a\nStatus: Used\n";
  EXPECT_TRUE(outcome(head + "Serial: 1F\nnotBefore: A\nnotAfter: B\nAlgorithm: \n"));
  EXPECT_FALSE(outcome(head + "Serial: 2F\nnotBefore: A\nnotAfter: B\nAlgorithm: \n"));
  EXPECT_FALSE(outcome(head + "Serial: 1F\nnotBefore: A\nnotAfter: C\nAlgorithm: \n"));
  EXPECT_FALSE(outcome(head + "Serial: 1F\nnotBefore: A\nnotAfter: B\nSHA1 FingerPrint: CD\n"));
  EXPECT_FALSE(outcome(head));
}

TEST(HaproxyUpdate, HowHaproxyPrintsSerialNumberAndDates) {
  using std::chrono::sys_days;
  CertificateOutline leaf;
  leaf.serial = "02042feb";
  leaf.not_before = sys_days{std::chrono::year{2026} / 11 / 28} + std::chrono::hours(18);
  leaf.not_after = sys_days{std::chrono::year{2027} / 2 / 7} + std::chrono::seconds(3661);
  EXPECT_EQ(serial_and_dates(leaf),
            "Serial: 02042FEB\nnotBefore: Nov 28 18:00:00 2026 GMT\n"
            "notAfter: Feb  7 01:01:01 2027 GMT\n");
}

TEST(HaproxyUpdate, WhatDidNotEndDidNotSucceed) {
  EXPECT_FALSE(set_and_commit({certificate("/a")}, false)->outcome());
}

TEST(HaproxyLoaded, WhatWasNotSeenAndIsInUseIsTold) {
  auto view = ask_what_is_loaded({"", 0, "/s"}, {"/a"});
  EXPECT_THAT(hold(*view, {"# transaction\n*/b c\n# filename\n/a\n/b c\n/idle\n\n",
                           "Filename: /b c\nStatus: Used\n", "Filename: /idle\nStatus: Unused\n"}),
              ElementsAre("show ssl cert", "show ssl cert /b\\ c", "show ssl cert /idle"));
  EXPECT_TRUE(view->outcome());
  EXPECT_THAT(view->unseen(), ElementsAre("/b c"));
}

TEST(HaproxyLoaded, AnotherAnswerTellsNothing) {
  auto view = ask_what_is_loaded({"", 0, "/s"}, {});
  EXPECT_THAT(hold(*view, {"Permission denied\n"}), ElementsAre("show ssl cert"));
  EXPECT_FALSE(view->outcome());
}

}  // namespace
}  // namespace certrebind::haproxy
