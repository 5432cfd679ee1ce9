#include "service/nginx/tree.h"

#include <gtest/gtest.h>

namespace certrebind::nginx {
namespace {

void show(const Tree& tree, size_t begin, size_t end, std::string& shown) {
  for (size_t i = begin; i < end; i = tree.directives()[i].next) {
    const Directive& directive = tree.directives()[i];
    for (const Word& word : tree.words(directive)) shown += std::string(word.value) + " ";
    if (!directive.block) continue;
    shown += "{ ";
    show(tree, i + 1, directive.next, shown);
    shown += "} ";
  }
}

// The tree, then "!line:column message" for each error.
std::string parsed(std::string text) {
  Tree tree(std::move(text));
  std::string shown;
  show(tree, 0, tree.directives().size(), shown);
  for (const SyntaxError& error : tree.errors())
    shown +=
        "!" + std::to_string(error.line) + ":" + std::to_string(error.column) + " " + error.message;
  return shown;
}

TEST(Tree, HoldsBlocksAndTheirContent) {
  EXPECT_EQ(parsed("a;http{server{listen 80;}b c;}d;"), "a http { server { listen 80 } b c } d ");
  EXPECT_EQ(parsed("x {} y {}"), "x { } y { } ");
  EXPECT_EQ(parsed("access_by_lua_block { if a then b = {} end } c;"),
            "access_by_lua_block { } c ");
}

TEST(Tree, SaysWhatNginxSays) {
  EXPECT_EQ(parsed("a}"), "a} !1:3 unexpected end of file, expecting \";\" or \"}\"");
  EXPECT_EQ(parsed("a\n;;"), "a !2:2 unexpected \";\"");
  EXPECT_EQ(parsed("}"), "!1:1 unexpected \"}\"");
  EXPECT_EQ(parsed("a {\n b }"),
            "a { b } !2:4 unexpected \"}\": the directive before it has no \";\"");
  EXPECT_EQ(parsed("{ a; } b;"), " { a } b !1:1 unexpected \"{\"");
}

TEST(Tree, NamesTheLineOfABlockThatIsNotClosed) {
  EXPECT_EQ(parsed("http\n{\nserver {"),
            "http { server { } } "
            "!3:9 unexpected end of file, expecting \"}\" for the block opened at line 3"
            "!3:9 unexpected end of file, expecting \"}\" for the block opened at line 2");
}

TEST(Tree, KnowsWhereEverythingStands) {
  std::string text = "server {\n  ssl_certificate \"/a b.pem\";\n}";
  Tree tree(text);
  const Directive& directive = tree.directives().at(1);
  const Word& word = tree.arguments(directive).front();
  EXPECT_EQ(text.substr(word.begin, word.end - word.begin), "\"/a b.pem\"");
  EXPECT_EQ(word.value, "/a b.pem");
  EXPECT_EQ(word.line, 2u);
  EXPECT_EQ(word.column, 19u);
  EXPECT_EQ(text[directive.end - 1], ';');
}

TEST(Tree, StaysGoodWhenMoved) {
  Tree tree("a 'b\\'c';");  // short enough for the string's internal buffer
  Tree moved = std::move(tree);
  EXPECT_EQ(moved.arguments(moved.directives()[0]).front().value, "b'c");
  EXPECT_EQ(moved.name(moved.directives()[0]).value, "a");
}

TEST(Tree, StandsAMillionBraces) {
  Tree tree(std::string(1 << 20, '{') + std::string(1 << 20, '}'));
  EXPECT_EQ(tree.directives().size(), size_t{1} << 20);
  EXPECT_EQ(tree.errors().size(), kMostErrors);
}

// Whatever is cut off or changed: the tree's ranges must be ordered and in bounds, without a crash.
void check(const std::string& text) {
  Tree tree(text);
  uint32_t last = 0;
  for (const Directive& directive : tree.directives()) {
    for (const Word& word : tree.words(directive)) {
      if (directive.word_count == 0) continue;
      ASSERT_LE(last, word.begin);
      ASSERT_LT(word.begin, word.end);
      last = word.end;
    }
    ASSERT_LE(last, directive.end);
    ASSERT_LE(directive.end, text.size());
    last = directive.end;
  }
}

class Mangled : public testing::TestWithParam<const char*> {};

TEST_P(Mangled, AtEveryByte) {
  std::string text = GetParam();
  for (size_t length = 0; length <= text.size(); ++length) check(text.substr(0, length));
  for (size_t at = 0; at < text.size(); ++at)
    for (char c : {'\0', '"', '\'', '\\', '{', '}', ';', '#', '\n', '$', ' ', '[', '-', '\xff'}) {
      std::string changed = text;
      changed[at] = c;
      check(changed);
      changed.insert(at, 1, c);
      check(changed);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Tree, Mangled,
    testing::Values(
        "http {\n  server { # c\n listen 443 ssl; ssl_certificate '/a\\'b';\n }\n}\n",
        "map $a ${b} { \"\" x; ~*^(\\d{3}|\\{)$ 'y z'; }\r\nreturn 200 \"{\\n}\";",
        "init_by_lua_block { local a = [==[ } ]==] -- }\n b['}'] = \"\\\"\" --[[ } ]] }",
        "\xef\xbb\xbf if ($x ~ \"a b\") { set $y '\xe4\xf6'; } { } ;; } x \\"));

}  // namespace
}  // namespace certrebind::nginx
