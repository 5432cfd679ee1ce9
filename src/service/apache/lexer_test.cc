#include "service/apache/lexer.h"

#include <gtest/gtest.h>

namespace certrebind::apache {
namespace {

struct Seen {
  LineKind kind;
  std::vector<std::string> words;
  std::vector<std::string> written;
};

std::vector<Seen> read(const std::string& text) {
  std::vector<Seen> lines;
  LineReader reader(text);
  for (RawLine raw; reader.next(raw);) {
    DecodedWords decoded;
    std::vector<Word> words;
    Seen seen{split_words(text, raw, decoded, words), {}, {}};
    for (const Word& word : words) {
      seen.words.emplace_back(word.value);
      seen.written.push_back(text.substr(word.begin, word.end - word.begin));
    }
    lines.push_back(std::move(seen));
  }
  return lines;
}

using Words = std::vector<std::string>;

Words words_of(const std::string& text) {
  auto lines = read(text);
  EXPECT_EQ(lines.size(), 1u) << text;
  return lines.empty() ? Words{} : lines[0].words;
}

TEST(ApacheLexer, TakesWordsAsHttpdDoes) {
  EXPECT_EQ(words_of("  ServerName\ta.test \r\n"), (Words{"ServerName", "a.test"}));
  EXPECT_EQ(words_of("A \"b c\" 'd \"e' f"), (Words{"A", "b c", "d \"e", "f"}));
  EXPECT_EQ(words_of("A \"b\\\"c\" d\\\\e f\\g"), (Words{"A", "b\"c", "d\\e", "f\\g"}));
  EXPECT_EQ(words_of("A \"b\"c"), (Words{"A", "b", "c"}));
  EXPECT_EQ(words_of("A b\"c d\""), (Words{"A", "b\"c", "d\""}));
  EXPECT_EQ(words_of("A \"never closed"), (Words{"A", "never closed"}));
  EXPECT_EQ(words_of("A b # c"), (Words{"A", "b", "#", "c"})) << "no comment behind a directive";
}

TEST(ApacheLexer, JoinsContinuedLines) {
  auto lines = read("A b\\\nc \\\r\n  \"d\\\ne\"\nF g\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].words, (Words{"A", "bc", "de"}));
  EXPECT_EQ(lines[0].written, (Words{"A", "b\\\nc", "\"d\\\ne\""}));
  EXPECT_EQ(lines[1].words, (Words{"F", "g"}));
}

TEST(ApacheLexer, LeavesOutCommentsWithWhatTheyContinueTo) {
  auto lines = read("# a \\\nB c\n\n  # d\nE\n\\\n\\\nF g");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].words, (Words{"E"}));
  EXPECT_EQ(lines[1].words, (Words{"F", "g"}));
}

TEST(ApacheLexer, TakesSectionsApart) {
  auto lines =
      read("<VirtualHost *:443 [::1]:443>\n</VirtualHost>\n<IfVersion >= 2.4>\n<X>\n<\n</");
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0].kind, LineKind::open);
  EXPECT_EQ(lines[0].words, (Words{"VirtualHost", "*:443", "[::1]:443"}));
  EXPECT_EQ(lines[1].kind, LineKind::close);
  EXPECT_EQ(lines[1].words, (Words{"VirtualHost"}));
  EXPECT_EQ(lines[2].words, (Words{"IfVersion", ">=", "2.4"}));
  EXPECT_EQ(lines[3].words, (Words{"X"}));
}

TEST(ApacheLexer, EndsAClosingTagWithItsFirstWord) {
  auto lines = read("</VirtualHost> </IfModule>\n</IfModule></IfModule>\n</A\n");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].kind, LineKind::close);
  EXPECT_EQ(lines[0].words, (Words{"VirtualHost"}));
  EXPECT_EQ(lines[1].words, (Words{"IfModule></IfModule"}));
  EXPECT_EQ(lines[2].words, (Words{"A"}));
}

TEST(ApacheLexer, TakesANegationApart) {
  EXPECT_EQ(words_of("<IfModule !x>"), (Words{"IfModule", "!", "x"}));
  EXPECT_EQ(words_of("<ifdefine ! x>"), (Words{"ifdefine", "!", "x"}));
  EXPECT_EQ(words_of("<IfFile !\"a b\">"), (Words{"IfFile", "!", "a b"}));
  EXPECT_EQ(words_of("<IfFile \"!x\">"), (Words{"IfFile", "!x"}));
  EXPECT_EQ(words_of("<IfModule !!x>"), (Words{"IfModule", "!", "!x"}));
  EXPECT_EQ(words_of("<IfVersion !>= 2.4>"), (Words{"IfVersion", "!>=", "2.4"}));
  EXPECT_EQ(words_of("<If !x>"), (Words{"If", "!x"}));
}

TEST(ApacheLexer, KnowsLinesAndColumns) {
  std::string text = "\n A \\\n   b\n";
  LineReader reader(text);
  RawLine raw;
  ASSERT_TRUE(reader.next(raw));
  DecodedWords decoded;
  std::vector<Word> words;
  split_words(text, raw, decoded, words);
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].line, 2u);
  EXPECT_EQ(words[0].column, 2u);
  EXPECT_EQ(words[1].line, 3u);
  EXPECT_EQ(words[1].column, 4u);
}

}  // namespace
}  // namespace certrebind::apache
