#include "survey/shadowed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShadowedTest : public ::testing::Test {
 protected:
  // The pairs of one server, in the order in which it loads them.
  void add(const std::string& site, const std::vector<std::string>& names) {
    for (size_t i = 0; i < names.size(); ++i) {
      SurveyedBinding& bound = survey_.bindings.emplace_back();
      bound.binding.site = site;
      bound.binding.certificate.path = "/c/" + names[i];
      bound.binding.certificate.where = {"/etc/x.conf", 10 * i, 10 * i + 5, static_cast<int>(i + 1),
                                         1};
      bound.binding.further_pairs = names.size() - 1 - i;
      if (names[i] != "none")
        bound.disk = std::make_shared<OnDisk>(look_at(files_, "/c/" + names[i]));
    }
  }
  static std::vector<std::string> paths(const std::vector<SurveyedBinding>& bindings) {
    std::vector<std::string> all;
    for (const SurveyedBinding& bound : bindings) all.push_back(bound.binding.certificate.path);
    return all;
  }
  void put(const std::string& name, TestKey key) {
    files_.put("/c/" + name, authority_.issue({.names = {"a.test"}, .key = key}).pem);
  }
  ShadowedTest() {
    put("rsa1", TestKey::rsa2048);
    put("rsa2", TestKey::rsa3072);
    put("p256", TestKey::p256);
    put("p384", TestKey::p384);
    put("ed", TestKey::ed25519);
    files_.put("/c/garbage", "x");
  }

  MemoryFiles files_;
  TestAuthority authority_;
  Survey survey_;
};

TEST_F(ShadowedTest, OfOneKeyTypeTheLastIsShown) {
  add("a.test", {"rsa1", "p256", "rsa2", "ed", "p384"});
  set_shadowed_apart(survey_);
  EXPECT_THAT(paths(survey_.bindings), ElementsAre("/c/rsa2", "/c/ed", "/c/p384"));
  EXPECT_THAT(paths(survey_.shadowed), ElementsAre("/c/rsa1", "/c/p256"));
}

TEST_F(ShadowedTest, ServersHaveNothingToDoWithEachOther) {
  add("a.test", {"rsa1"});
  add("b.test", {"rsa2"});
  set_shadowed_apart(survey_);
  EXPECT_EQ(survey_.bindings.size(), 2u);
  EXPECT_THAT(survey_.diagnostics, IsEmpty());
}

TEST_F(ShadowedTest, WhatCannotBeReadShadowsNothing) {
  add("a.test", {"rsa1", "garbage", "none"});
  add("b.test", {"garbage", "none", "rsa1", "rsa1"});
  set_shadowed_apart(survey_);
  EXPECT_EQ(survey_.bindings.size(), 7u) << "one file twice is one certificate";
}

TEST_F(ShadowedTest, ASiteThatIsNeverChosenIsNone) {
  add("a.test", {"rsa1"});
  add("b.test", {"garbage"});
  for (SurveyedBinding& bound : survey_.bindings) bound.binding.never_chosen = true;
  set_shadowed_apart(survey_);
  EXPECT_THAT(paths(survey_.bindings), ElementsAre("/c/garbage"));
}

TEST_F(ShadowedTest, EachDirectiveIsToldOnce) {
  for (const char* site : {"a.test", "b.test", "c.test"}) add(site, {"rsa1", "rsa2"});
  set_shadowed_apart(survey_);
  ASSERT_EQ(survey_.diagnostics.size(), 1u);
  const Diagnostic& note = survey_.diagnostics[0];
  EXPECT_EQ(note.severity, Severity::note);
  EXPECT_EQ(note.line, 1);
  EXPECT_THAT(note.message, HasSubstr("/c/rsa1 is shadowed at a.test, b.test, c.test: /c/rsa2"));
  put_all_back(survey_);
  EXPECT_EQ(survey_.bindings.size(), 6u);
}

}  // namespace
}  // namespace certrebind
