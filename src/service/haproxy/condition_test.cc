#include "service/haproxy/condition.h"

#include <gtest/gtest.h>

namespace certrebind::haproxy {
namespace {

const Build kBuild{"2.6.12", "+EPOLL -KQUEUE +OPENSSL"};

std::optional<bool> judged(std::string_view condition, const Build& build = kBuild) {
  Variables variables = [](std::string_view name) -> std::optional<std::string> {
    if (name == "SET") return "x";
    return std::nullopt;
  };
  return evaluate(condition, variables, build);
}

TEST(HaproxyCondition, Predicates) {
  EXPECT_EQ(judged("defined(SET)"), true);
  EXPECT_EQ(judged("defined(UNSET)"), false);
  EXPECT_EQ(judged("streq(a, a)"), true);
  EXPECT_EQ(judged("strneq(a,a)"), false);
  EXPECT_EQ(judged("strstr(abc,bc)"), true);
  EXPECT_EQ(judged("feature(OPENSSL)"), true);
  EXPECT_EQ(judged("feature(KQUEUE)"), false);
  EXPECT_EQ(judged("version_atleast(2.6.12)"), true);
  EXPECT_EQ(judged("version_atleast(2.6.13)"), false);
  EXPECT_EQ(judged("version_before(2.10)"), true);
}

TEST(HaproxyCondition, NumbersAndNothing) {
  EXPECT_EQ(judged(""), false);
  EXPECT_EQ(judged("  "), false);
  EXPECT_EQ(judged("0"), false);
  EXPECT_EQ(judged("2"), true);
}

TEST(HaproxyCondition, TheyCombine) {
  EXPECT_EQ(judged("!0 && (0 || 1)"), true);
  EXPECT_EQ(judged("1 && !1"), false);
  EXPECT_EQ(judged("!!1"), true);
}

TEST(HaproxyCondition, WhatIsNotKnownIsUnknownUnlessTheRestDecides) {
  EXPECT_EQ(judged("enabled(POLL)"), std::nullopt);
  EXPECT_EQ(judged("enabled(POLL) || 1"), true);
  EXPECT_EQ(judged("enabled(POLL) && 0"), false);
  EXPECT_EQ(judged("enabled(POLL) && 1"), std::nullopt);
  EXPECT_EQ(judged("feature(OPENSSL)", {}), std::nullopt);
  EXPECT_EQ(judged("version_atleast(2.6)", {}), std::nullopt);
}

TEST(HaproxyCondition, WhatMakesNoSenseIsUnknown) {
  for (const char* text : {"(", ")", "!", "1 1", "streq(a", "&&", "1 &&", "@"})
    EXPECT_EQ(judged(text), std::nullopt) << text;
  EXPECT_EQ(judged(std::string(100'000, '!')), std::nullopt);
  EXPECT_EQ(judged(std::string(100'000, '(')), std::nullopt);
}

TEST(HaproxyCondition, WhatTheProgramSaysOfItself) {
  Build build = parse_build(
      "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\nStatus: x\n"
      "Feature list : -51DEGREES +ACCEPT4\n\nDefault settings :\n");
  EXPECT_EQ(build.version, "2.6.12");
  EXPECT_EQ(build.features, "-51DEGREES +ACCEPT4");
}

}  // namespace
}  // namespace certrebind::haproxy
