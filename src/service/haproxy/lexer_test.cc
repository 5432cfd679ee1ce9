#include "service/haproxy/lexer.h"

#include <gtest/gtest.h>

namespace certrebind::haproxy {
namespace {

std::optional<std::string> variable(std::string_view name) {
  if (name == "V") return "val";
  if (name == "MANY") return "one two";
  if (name == ".LINE") return "6";
  return std::nullopt;
}

std::vector<std::string> values(std::string_view text) {
  Line line = read_line(text, variable);
  if (!line.problem.empty()) return {"refused: " + line.problem};
  std::vector<std::string> found;
  for (const Word& word : line.words) found.push_back(word.value);
  return found;
}

using Words = std::vector<std::string>;

TEST(HaproxyLexer, WordsStandApartByBlanksAndACommentEndsThem) {
  EXPECT_EQ(values("  bind\t:443 ssl  # crt x\r"), (Words{"bind", ":443", "ssl"}));
  EXPECT_EQ(values("a#b"), Words{"a"});
  EXPECT_EQ(values("# only"), Words{});
  EXPECT_EQ(values(""), Words{});
}

TEST(HaproxyLexer, QuotesAndEscapes) {
  EXPECT_EQ(values(R"(/a" b "'#c')"), Words{"/a b #c"});
  EXPECT_EQ(values(R"(a\ b\#c\\d\"e\'f)"), Words{R"(a b#c\d"e'f)"});
  EXPECT_EQ(values(R"('a\ b\x41$V')"), Words{R"(a\ b\x41$V)"});
  EXPECT_EQ(values(R"("a\tb\x41\qc\$d")"), Words{"a\tbA\\qc$d"});
  EXPECT_EQ(values(R"("" '')"), (Words{"", ""}));
  EXPECT_EQ(values(R"(\$V $V a\)"), (Words{R"(\$V)", "$V", R"(a\)"}));
}

TEST(HaproxyLexer, VariablesCountInDoubleQuotesOnly) {
  EXPECT_EQ(values(R"("$V"x "${V}y" "${NO}z" "${NO-d e}" "${V-d}" "${.LINE}")"),
            (Words{"valx", "valy", "z", "d e", "val", "6"}));
  EXPECT_EQ(values(R"(a"${MANY[*]}"b)"), (Words{"aone", "twob"}));
  EXPECT_EQ(values(R"("$V[*]")"), Words{"val[*]"});
  EXPECT_TRUE(read_line(R"("$V")", variable).words[0].expanded);
  EXPECT_FALSE(read_line(R"('$V')", variable).words[0].expanded);
}

TEST(HaproxyLexer, WhatHaproxyRefuses) {
  EXPECT_EQ(values(R"(a "b)"), Words{"refused: unmatched quote"});
  EXPECT_EQ(values(R"(a 'b)"), Words{"refused: unmatched quote"});
  EXPECT_EQ(values(R"("${V")"), Words{"refused: unmatched brace in environment variable name"});
  EXPECT_EQ(values(R"("$1")"), Words{"refused: forbidden first char in environment variable name"});
  EXPECT_EQ(values(R"(\x4)"), Words{"refused: truncated or invalid hexadecimal sequence"});
  std::string many;
  for (size_t i = 0; i <= kMostWords; ++i) many += "w ";
  EXPECT_EQ(values(many), Words{"refused: too many words"});
}

TEST(HaproxyLexer, AVariablesWordsCountToo) {
  std::string many;
  for (size_t i = 1; i < kMostWords; ++i) many += "w ";
  Line line = read_line(many + R"("${MANY[*]}")",
                        [](std::string_view) { return std::optional<std::string>("a b c d e"); });
  EXPECT_EQ(line.problem, "too many words");
  EXPECT_EQ(line.words.size(), kMostWords + 1);
}

TEST(HaproxyLexer, WordsKnowTheirPlaces) {
  std::string_view text = R"( bind  "a b"c # x)";
  Line line = read_line(text, variable);
  ASSERT_EQ(line.words.size(), 2U);
  EXPECT_EQ(text.substr(line.words[1].begin, line.words[1].end - line.words[1].begin), R"("a b"c)");
}

TEST(HaproxyLexer, WhatIsQuotedIsReadBack) {
  for (const char* value :
       {"/plain", "/a b", "/it's", "/a#b", "/a\\b", "/$V", "", "/'\"$\\ \n\t"}) {
    Line line = read_line(quoted(value), variable);
    ASSERT_EQ(line.words.size(), 1U) << value;
    EXPECT_EQ(line.words[0].value, value);
  }
}

}  // namespace
}  // namespace certrebind::haproxy
