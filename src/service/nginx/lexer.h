// The words and marks of an nginx configuration file, read as nginx reads them
// (ngx_conf_read_token in src/core/ngx_conf_file.c, 1.22.1), with their places. Never fails: what
// nginx would refuse is reported, and reading goes on.
//
// Free of base/result.h, so that a fuzzer can be built from it by compilers without std::expected.
#pragma once

#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind::nginx {

enum class TokenKind : uint8_t {
  word,
  semicolon,
  open,   // {
  close,  // }
  lua,    // all between the braces of a *_by_lua_block
  end,    // of the file
};

// A piece of the text, bytes [begin, end) as written. Between tokens lie only blanks and comments.
struct Token {
  std::string_view value;  // a word's meaning: quotes and escapes resolved
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 1;    // where it begins, from 1
  uint32_t column = 1;  // from 1, in bytes
  TokenKind kind = TokenKind::end;
};

// Something that nginx refuses to read, in nginx's own words where it has some.
struct SyntaxError {
  uint32_t line = 0;
  uint32_t column = 0;
  std::string message;
};

// Where values live that differ from the text: addresses stay good when the list is moved.
using DecodedWords = std::forward_list<std::string>;

// A file with this many errors is no configuration, and further ones help nobody.
inline constexpr size_t kMostErrors = 100;

// Reads one text from front to back. `text` and `decoded` must outlive the tokens; texts of 4 GiB
// and more are cut there (kConfigLimit is far below).
class Lexer {
 public:
  Lexer(std::string_view text, DecodedWords& decoded, std::vector<SyntaxError>& errors);

  // The next token; TokenKind::end for ever after the last.
  Token next();

  // Adds an error at a token, for the reader of the grammar too.
  void report(const Token& where, std::string message);

 private:
  void skip_blanks();
  void skip_comment();
  void advance_to(size_t position);  // counts lines on the way
  Token start(TokenKind kind) const;
  Token mark(TokenKind kind);
  Token plain_word();
  Token quoted_word(char quote);
  Token lua_body();
  void check_after_quote();
  void check_length(const Token& token, size_t length, size_t most);
  std::string_view decode(std::string_view written);

  std::string_view text_;
  DecodedWords& decoded_;
  std::vector<SyntaxError>& errors_;
  size_t position_ = 0;
  size_t line_start_ = 0;
  uint32_t line_ = 1;
  bool in_statement_ = false;   // a word was read since the last mark
  bool lua_statement_ = false;  // and the first of them takes a block of Lua
  bool lua_follows_ = false;    // and that block was opened just now
};

}  // namespace certrebind::nginx
