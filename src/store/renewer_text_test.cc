#include "store/renewer_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certrebind {
namespace {

using std::chrono::days;
using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RenewerText, PlainValues) {
  Values values = plain_values(
      "# a = 1\nversion = 2.1.0\n[renewalparams]\nkey = a=b\nid=x\ncert=-----BEGIN\n MII=\n");
  EXPECT_EQ(values["version"], "2.1.0");
  EXPECT_EQ(values["key"], "a=b");
  EXPECT_EQ(values["id"], "x");
  EXPECT_EQ(values["cert"], "-----BEGIN");
  EXPECT_FALSE(values.contains("# a"));
  EXPECT_FALSE(values.contains("MII"));
}

TEST(RenewerText, ShellValues) {
  Values values = shell_values(
      "BASE=/var/lib/d\nexport OUT=\"${BASE}/out\" # why\nPLAIN=$BASE/x\nSINGLE='$BASE'\n"
      "LATE=\"${NONE}\"\nRUN=$(date)\nTICK=`date`\nnot an assignment\n 1X=2\n");
  EXPECT_EQ(values["OUT"], "/var/lib/d/out");
  EXPECT_EQ(values["PLAIN"], "/var/lib/d/x");
  EXPECT_EQ(values["SINGLE"], "$BASE");
  for (const char* unclear : {"LATE", "RUN", "TICK", "1X"})
    EXPECT_FALSE(values.contains(unclear)) << unclear;
}

TEST(RenewerText, WhatOnlyAShellKnowsForgetsWhatWasKnown) {
  EXPECT_FALSE(shell_values("A=1\nA=$(date)\n").contains("A"));
}

TEST(RenewerText, ShellWords) {
  EXPECT_THAT(shell_words("\"/root/.acme.sh\"/acme.sh --cron --home '/root/x y' > /dev/null # no"),
              ElementsAre("/root/.acme.sh/acme.sh", "--cron", "--home", "/root/x y", "/dev/null"));
  EXPECT_THAT(shell_words("test -x a&&b;c|d"), ElementsAre("test", "-x", "a", "b", "c", "d"));
  EXPECT_THAT(shell_words("  # nothing"), IsEmpty());
  EXPECT_THAT(shell_words("''"), ElementsAre(""));
}

TEST(RenewerText, Options) {
  std::vector<std::string> words = shell_words("lego --path=/l -d a.test renew --days 45 --last");
  EXPECT_EQ(option_of(words, {"--path"}), "/l");
  EXPECT_EQ(option_of(words, {"-d", "--domains"}), "a.test");
  EXPECT_EQ(option_of(words, {"--days"}), "45");
  EXPECT_EQ(option_of(words, {"--last"}), std::nullopt);
}

TEST(RenewerText, Intervals) {
  EXPECT_EQ(interval_of("30 days"), days(30));
  EXPECT_EQ(interval_of("30"), days(30));
  EXPECT_EQ(interval_of("6 months 1 week"), days(187));
  EXPECT_EQ(interval_of("3 days 12 hours"), hours(84));
  EXPECT_EQ(interval_of("90 minutes"), std::chrono::minutes(90));
  for (const char* text : {"", "soon", "-3 days", "3 fortnights", "99999999 days"})
    EXPECT_EQ(interval_of(text), std::nullopt) << text;
}

TEST(RenewerText, AcmeShHidesCommandsInBase64) {
  EXPECT_EQ(
      acme_sh_text("__ACME_BASE64__START_c3lzdGVtY3RsIHJlbG9hZCBuZ2lueA==__ACME_BASE64__END_"),
      "systemctl reload nginx");
  EXPECT_EQ(acme_sh_text("nginx -s reload"), "nginx -s reload");
  EXPECT_EQ(acme_sh_text("__ACME_BASE64__START_"), "__ACME_BASE64__START_");
}

}  // namespace
}  // namespace certrebind
