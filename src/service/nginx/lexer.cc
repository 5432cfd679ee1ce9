#include "service/nginx/lexer.h"

#include <array>

#include "service/nginx/lua_block.h"

namespace certrebind::nginx {

namespace {

// nginx reads through a buffer of 4096 bytes (NGX_CONF_BUFFER). A word or comment and the next byte
// must fit in it; a quoted word has one byte less.
constexpr size_t kLongestWord = 4095;
constexpr size_t kLongestQuoted = 4094;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Bytes that may end a plain word or are special in it. All others are skipped fast.
constexpr auto kSpecialInWord = [] {
  std::array<bool, 256> special{};
  for (unsigned char c : {' ', '\t', '\r', '\n', ';', '{', '\\', '$'}) special[c] = true;
  return special;
}();

std::string shown(char c) {
  auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte < 0x7F) return std::string(1, c);
  constexpr char kDigits[] = "0123456789abcdef";
  return std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
}

// The end of the plain word that begins at `at`. "${" does not open a block, nor does any further
// "{" directly after it (nginx keeps its `variable` flag set).
size_t plain_end(std::string_view text, size_t at) {
  bool variable = false;
  for (size_t start = at; at < text.size();) {
    char c = text[at];
    if (!kSpecialInWord[static_cast<unsigned char>(c)] || (c == '{' && variable)) {
      variable = variable && c == '{';
      ++at;
    } else if (c == '\\') {
      variable = false;
      at += 2;
    } else if (c == '$') {
      variable = true;
      ++at;
    } else if (at == start) {
      ++at;
    } else {
      return at;
    }
  }
  return text.size();
}

// The position of the closing quote of a word whose content begins at `at`; npos if there is none.
size_t closing_quote(std::string_view text, size_t at, char quote) {
  while (at < text.size()) {
    if (text[at] == quote) return at;
    at += text[at] == '\\' ? 2 : 1;
  }
  return std::string_view::npos;
}

}  // namespace

Lexer::Lexer(std::string_view text, DecodedWords& decoded, std::vector<SyntaxError>& errors)
    : text_(text.substr(0, UINT32_MAX - 1)), decoded_(decoded), errors_(errors) {}

Token Lexer::next() {
  if (lua_follows_) return lua_body();
  skip_blanks();
  if (position_ >= text_.size()) return start(TokenKind::end);
  switch (char c = text_[position_]) {
    case ';':
      return mark(TokenKind::semicolon);
    case '{':
      lua_follows_ = lua_statement_;
      return mark(TokenKind::open);
    case '}':
      return mark(TokenKind::close);
    case '"':
    case '\'':
      return quoted_word(c);
    default:
      return plain_word();
  }
}

void Lexer::report(const Token& where, std::string message) {
  if (errors_.size() < kMostErrors)
    errors_.push_back({where.line, where.column, std::move(message)});
}

void Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    char c = text_[position_];
    if (c == '#') {
      skip_comment();
    } else if (is_blank(c)) {
      ++position_;
      if (c == '\n') {
        ++line_;
        line_start_ = position_;
      }
    } else {
      return;
    }
  }
}

void Lexer::skip_comment() {
  Token comment = start(TokenKind::end);
  size_t end = text_.find('\n', position_);
  position_ = end == std::string_view::npos ? text_.size() : end;
  check_length(comment, position_ - comment.begin, kLongestWord);
}

void Lexer::advance_to(size_t position) {
  size_t newline = position_;
  while ((newline = text_.find('\n', newline)) < position) {
    ++line_;
    line_start_ = ++newline;
  }
  position_ = position;
}

Token Lexer::start(TokenKind kind) const {
  Token token;
  token.kind = kind;
  token.begin = token.end = static_cast<uint32_t>(position_);
  token.line = line_;
  token.column = static_cast<uint32_t>(position_ - line_start_ + 1);
  return token;
}

Token Lexer::mark(TokenKind kind) {
  Token token = start(kind);
  ++token.end;
  ++position_;
  in_statement_ = lua_statement_ = false;
  return token;
}

Token Lexer::plain_word() {
  Token token = start(TokenKind::word);
  size_t end = plain_end(text_, position_);
  std::string_view written = text_.substr(position_, end - position_);
  bool escaped = written.find('\\') != std::string_view::npos;
  if (escaped) {
    advance_to(end);  // an escaped line break belongs to the word
  } else {
    position_ = end;
  }
  token.end = static_cast<uint32_t>(end);
  token.value = escaped ? decode(written) : written;
  check_length(token, written.size(), kLongestWord);
  if (!in_statement_) lua_statement_ = takes_lua_block(token.value);
  in_statement_ = true;
  return token;
}

Token Lexer::quoted_word(char quote) {
  Token token = start(TokenKind::word);
  size_t close = closing_quote(text_, position_ + 1, quote);
  bool closed = close != std::string_view::npos;
  size_t content_end = closed ? close : text_.size();
  std::string_view written = text_.substr(position_ + 1, content_end - position_ - 1);
  advance_to(closed ? close + 1 : text_.size());
  token.end = static_cast<uint32_t>(position_);
  token.value = decode(written);
  if (closed) {
    check_length(token, written.size(), kLongestQuoted);
    check_after_quote();
  } else {
    report(token, std::string("missing terminating \"") + quote + "\" character");
  }
  if (!in_statement_) lua_statement_ = takes_lua_block(token.value);
  in_statement_ = true;
  return token;
}

Token Lexer::lua_body() {
  lua_follows_ = false;
  Token token = start(TokenKind::lua);
  LuaBlock body = lua_block(text_.substr(position_));
  if (!body.problem.empty()) {
    advance_to(token.begin + body.problem_at);
    report(start(TokenKind::lua), body.problem);
  }
  advance_to(token.begin + body.length);
  token.end = static_cast<uint32_t>(position_);
  return token;
}

// After a closing quote nginx requires a blank, the end of the statement or ")".
void Lexer::check_after_quote() {
  if (position_ >= text_.size()) return;
  char c = text_[position_];
  if (is_blank(c) || c == ';' || c == '{' || c == ')') return;
  report(start(TokenKind::word), "unexpected \"" + shown(c) + "\" behind a closing quote");
}

void Lexer::check_length(const Token& token, size_t length, size_t most) {
  if (length > most)
    report(token, "too long: nginx takes words and comments of at most " + std::to_string(most) +
                      " bytes here");
}

// Resolves the escapes that nginx knows: \" \' \\ lose their backslash, \t \r \n become control
// characters. Every other backslash stays.
std::string_view Lexer::decode(std::string_view written) {
  if (written.find('\\') == std::string_view::npos) return written;
  std::string& value = decoded_.emplace_front();
  value.reserve(written.size());
  for (size_t at = 0; at < written.size(); ++at) {
    char following = written[at] == '\\' && at + 1 < written.size() ? written[at + 1] : '\0';
    constexpr std::string_view kEscapes = "\"'\\trn";
    size_t escape = following == '\0' ? std::string_view::npos : kEscapes.find(following);
    if (escape == std::string_view::npos) {
      value += written[at];
    } else {
      value += "\"'\\\t\r\n"[escape];
      ++at;
    }
  }
  return value;
}

}  // namespace certrebind::nginx
