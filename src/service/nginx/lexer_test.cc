#include "service/nginx/lexer.h"

#include <gtest/gtest.h>

namespace certrebind::nginx {
namespace {

// The tokens as text: words in «», marks unchanged, Lua in ‹›; then "!" and each error.
std::string lexed(std::string_view text) {
  DecodedWords decoded;
  std::vector<SyntaxError> errors;
  Lexer lexer(text, decoded, errors);
  std::string shown;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    std::string written(text.substr(token.begin, token.end - token.begin));
    if (token.kind == TokenKind::word) {
      shown += "<" + std::string(token.value) + ">";
    } else {
      shown += token.kind == TokenKind::lua ? "(" + written + ")" : written;
    }
  }
  for (const SyntaxError& error : errors)
    shown += "!" + std::to_string(error.line) + ":" + std::to_string(error.column);
  return shown;
}

Token first(std::string_view text, DecodedWords& decoded) {
  std::vector<SyntaxError> errors;
  return Lexer(text, decoded, errors).next();
}

// Each expectation is how nginx 1.22.1 prints the word in "unknown directive".
TEST(Lexer, ReadsWordsAsNginxDoes) {
  EXPECT_EQ(lexed("listen 80;"), "<listen><80>;");
  EXPECT_EQ(lexed("aa\"b c\"d;"), "<aa\"b><c\"d>;");
  EXPECT_EQ(lexed("\"a\\tb\\\"c\";"), "<a\tb\"c>;");
  EXPECT_EQ(lexed("'a\\x\\'b';"), "<a\\x'b>;");
  EXPECT_EQ(lexed("a\\ b;"), "<a\\ b>;");
  EXPECT_EQ(lexed("\\;x;"), "<\\;x>;");
  EXPECT_EQ(lexed("a#b;"), "<a#b>;");
  EXPECT_EQ(lexed("a};"), "<a}>;");
  EXPECT_EQ(lexed("}x;"), "}<x>;");
  EXPECT_EQ(lexed("${a{b}c;"), "<${a>{<b}c>;");
  EXPECT_EQ(lexed("${{a;"), "<${{a>;");
  EXPECT_EQ(lexed("$ {"), "<$>{");
  EXPECT_EQ(lexed("$\\{;"), "<$\\{>;");
  EXPECT_EQ(lexed("\"\";"), "<>;");
  EXPECT_EQ(lexed("'\"' \"'\";"), "<\"><'>;");
  EXPECT_EQ(lexed("if ($a = \"b\"){"), "<if><($a><=><b><)>{");
  EXPECT_EQ(lexed("a\\\\b \"\\\\\";"), "<a\\b><\\>;");
  EXPECT_EQ(lexed("\"\\r\\n\";"), "<\r\n>;");
}

TEST(Lexer, PassesOverBlanksAndComments) {
  EXPECT_EQ(lexed(""), "");
  EXPECT_EQ(lexed(" \t\r\n# x; { \"\n  # y"), "");
  EXPECT_EQ(lexed("a # b;\r\n c;"), "<a><c>;");
  EXPECT_EQ(lexed("a{b c;}"), "<a>{<b><c>;}");
}

TEST(Lexer, NamesWhatNginxRefusesAndGoesOn) {
  EXPECT_EQ(lexed("\"x\"y;"), "<x><y>;!1:4");
  EXPECT_EQ(lexed("\"x\"#y"), "<x>!1:4");
  EXPECT_EQ(lexed("\n\n 'abc;\n}"), "<abc;\n}>!3:2");
  EXPECT_EQ(lexed("x\\"), "<x\\>");
  EXPECT_EQ(lexed("\"x\\"), "<x\\>!1:1");
}

TEST(Lexer, KeepsAnyByte) {
  EXPECT_EQ(lexed(std::string_view("a\0b;", 4)), std::string("<a\0b>;", 6));
  EXPECT_EQ(lexed("\xef\xbb\xbfhttp{"), "<\xef\xbb\xbfhttp>{");
  EXPECT_EQ(lexed("\xe4\xff;"), "<\xe4\xff>;");
  EXPECT_EQ(lexed("a\vb\f;"), "<a\vb\f>;");
}

TEST(Lexer, ComplainsOfWordsThatNginxHasNoRoomFor) {
  EXPECT_EQ(lexed(std::string(4095, 'a') + ";").find('!'), std::string::npos);
  EXPECT_NE(lexed(std::string(4096, 'a') + ";").find('!'), std::string::npos);
  EXPECT_EQ(lexed("'" + std::string(4094, 'a') + "';").find('!'), std::string::npos);
  EXPECT_NE(lexed("'" + std::string(4095, 'a') + "';").find('!'), std::string::npos);
  EXPECT_NE(lexed("#" + std::string(9000, 'a') + "\n").find('!'), std::string::npos);
}

TEST(Lexer, ReadsLuaBlocksAsOpenRestyDoes) {
  EXPECT_EQ(lexed("content_by_lua_block { a = {} } x;"), "<content_by_lua_block>{( a = {} )}<x>;");
  EXPECT_EQ(lexed("set_by_lua_block $r{'}'}"), "<set_by_lua_block><$r>{('}')}");
  EXPECT_EQ(lexed("\"init_by_lua_block\" {\"\\\"}\"}"), "<init_by_lua_block>{(\"\\\"}\")}");
  EXPECT_EQ(lexed("x_by_lua_block{-- }\n}y;"), "<x_by_lua_block>{(-- }\n)}<y>;");
  EXPECT_EQ(lexed("x_by_lua_block{--[=[ ]] }\n]=]}y;"), "<x_by_lua_block>{(--[=[ ]] }\n]=])}<y>;");
  EXPECT_EQ(lexed("x_by_lua_block{a[b[1]]=[[}]]}y;"), "<x_by_lua_block>{(a[b[1]]=[[}]])}<y>;");
  EXPECT_EQ(lexed("access_by_lua_file x.lua; a {}"), "<access_by_lua_file><x.lua>;<a>{}");
}

TEST(Lexer, TakesAQuoteThatEndsWithItsLineForNothing) {
  EXPECT_EQ(lexed("x_by_lua_block{\"a\n}y;"), "<x_by_lua_block>{(\"a\n)}<y>;");
  EXPECT_EQ(lexed("x_by_lua_block{'a\\\n}y;"), "<x_by_lua_block>{('a\\\n)}<y>;");
}

TEST(Lexer, NamesLuaWithoutAnEnd) {
  EXPECT_EQ(lexed("x_by_lua_block{ { }"), "<x_by_lua_block>{( { })!1:20");
  EXPECT_EQ(lexed("x_by_lua_block{[==[ ]] }"), "<x_by_lua_block>{([==[ ]] })!1:16");
}

TEST(Lexer, CountsLinesAndColumnsInBytes) {
  DecodedWords decoded;
  std::vector<SyntaxError> errors;
  Lexer lexer("a 'x\ny' \xc3\xa4\n  b;", decoded, errors);
  std::vector<std::pair<uint32_t, uint32_t>> places;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next())
    places.emplace_back(token.line, token.column);
  std::vector<std::pair<uint32_t, uint32_t>> expected = {{1, 1}, {1, 3}, {2, 4}, {3, 3}, {3, 4}};
  EXPECT_EQ(places, expected);
}

TEST(Lexer, PointsIntoTheTextWhereNothingIsDecoded) {
  DecodedWords decoded;
  std::string text = "'plain' ";
  EXPECT_EQ(first(text, decoded).value.data(), text.data() + 1);
  EXPECT_TRUE(decoded.empty());
}

}  // namespace
}  // namespace certrebind::nginx
