// Splits an nginx configuration file into words and marks, with their positions, exactly as nginx
// does (ngx_conf_read_token in src/core/ngx_conf_file.c, 1.22.1). Never fails: text that nginx
// would reject is reported, and reading continues.
//
// Does not use base/result.h, so that compilers without std::expected can build a fuzzer from it.
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
  lua,    // everything between the braces of a *_by_lua_block
  end,    // end of the file
};

// A piece of the text, bytes [begin, end) as written. Only blanks and comments are between tokens.
struct Token {
  std::string_view value;  // the word's value: quotes and escapes resolved
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 1;    // of its begin, from 1
  uint32_t column = 1;  // from 1, in bytes
  TokenKind kind = TokenKind::end;
};

// An error that nginx would report, in nginx's own words where it has some.
struct SyntaxError {
  uint32_t line = 0;
  uint32_t column = 0;
  std::string message;
};

// Stores values that differ from the text. Addresses stay valid when the list is moved.
using DecodedWords = std::forward_list<std::string>;

// A file with this many errors is not a configuration, and more of them help nobody.
inline constexpr size_t kMostErrors = 100;

// Reads one text from start to end. `text` and `decoded` must outlive the tokens. Texts of 4 GiB
// and more are truncated (kConfigLimit is far below).
class Lexer {
 public:
  Lexer(std::string_view text, DecodedWords& decoded, std::vector<SyntaxError>& errors);

  // The next token. After the last one always TokenKind::end.
  Token next();

  // Adds an error at a token. The parser uses it too.
  void report(const Token& where, std::string message);

 private:
  void skip_blanks();
  void skip_comment();
  void advance_to(size_t position);  // also counts lines
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
  bool lua_statement_ = false;  // and the statement's first word takes a block of Lua
  bool lua_follows_ = false;    // and that block has just been opened
};

}  // namespace certrebind::nginx
