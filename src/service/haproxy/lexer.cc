#include "service/haproxy/lexer.h"

namespace certrebind::haproxy {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

bool is_blank(char c) {
  return kBlanks.find(c) != std::string_view::npos;
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Reader {
 public:
  Reader(std::string_view text, const Variables& variables) : text_(text), variables_(variables) {}

  Line run() {
    while (line_.problem.empty() && !at_end()) step();
    if (line_.problem.empty() && quote_ != 0) refuse("unmatched quote", quote_at_);
    end_word();
    return std::move(line_);
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void step() {
    char c = peek();
    if (quote_ == 0 && c == '#') {
      at_ = text_.size();
    } else if (quote_ == 0 && is_blank(c)) {
      end_word();
      ++at_;
    } else if ((c == '"' || c == '\'') && (quote_ == 0 || quote_ == c)) {
      toggle(c);
    } else if (c == '\\' && quote_ != '\'') {
      escape();
    } else if (c == '$' && quote_ == '"') {
      variable();
    } else {
      emit(c);
      ++at_;
    }
  }

  void begin_word() {
    if (in_word_) return;
    in_word_ = true;
    word_ = Word{{}, static_cast<uint32_t>(at_), 0, false};
  }

  void emit(char c) {
    begin_word();
    word_.value += c;
  }

  void end_word() {
    if (!in_word_) return;
    in_word_ = false;
    word_.end = static_cast<uint32_t>(at_);
    line_.words.push_back(std::move(word_));
    if (line_.words.size() > kMostWords) refuse("too many words", line_.words.back().begin);
  }

  void toggle(char quote) {
    begin_word();
    if (quote_ == 0) quote_at_ = at_;
    quote_ = quote_ == 0 ? quote : '\0';
    ++at_;
  }

  void escape() {
    char c = peek(1);
    bool literal = c == ' ' || c == '\\' || c == '#' || c == '\'' || c == '"';
    if (literal || (c == '$' && quote_ == '"')) return emit_escape(c, 2);
    if (c == 't') return emit_escape('\t', 2);
    if (c == 'n') return emit_escape('\n', 2);
    if (c == 'r') return emit_escape('\r', 2);
    if (c == 'x') return escape_hex();
    emit_escape('\\', 1);
  }

  void emit_escape(char c, size_t width) {
    emit(c);
    at_ += width;
  }

  void escape_hex() {
    int high = hex_digit(peek(2)), low = hex_digit(peek(3));
    if (high < 0 || low < 0) return refuse("truncated or invalid hexadecimal sequence", at_);
    emit_escape(static_cast<char>(high * 16 + low), 4);
  }

  // "$NAME", "${NAME}", "${NAME-default}", "${NAME[*]}": the last form splits the value into words.
  void variable() {
    begin_word();
    word_.expanded = true;
    size_t start = at_++;
    bool brace = peek() == '{';
    if (brace) ++at_;
    size_t name_at = at_;
    if (peek() == '.') ++at_;
    if (!is_name_start(peek()))
      return refuse("forbidden first char in environment variable name", start);
    while (is_name(peek())) ++at_;
    std::optional<std::string> value = variables_(text_.substr(name_at, at_ - name_at));
    bool as_words = brace && text_.substr(at_, 3) == "[*]";
    if (as_words) at_ += 3;
    if (brace && peek() == '-') {
      ++at_;
      std::string otherwise = default_value();
      if (!value) value = std::move(otherwise);
    }
    if (brace && peek() != '}')
      return refuse("unmatched brace in environment variable name", start);
    if (brace) ++at_;
    if (value) insert(*value, as_words);
  }

  std::string default_value() {
    std::string value;
    for (; !at_end() && peek() != '}'; ++at_) {
      if (peek() == '\\' && peek(1) != '\0') ++at_;
      value += peek();
    }
    return value;
  }

  void insert(const std::string& value, bool as_words) {
    for (char c : value) {
      if (!as_words || !is_blank(c)) {
        begin_word();
        word_.expanded = true;
        word_.value += c;
        continue;
      }
      end_word();
      if (!line_.problem.empty()) return;
    }
  }

  void refuse(std::string why, size_t where) {
    if (!line_.problem.empty()) return;
    line_.problem = std::move(why);
    line_.problem_at = static_cast<uint32_t>(where);
    at_ = text_.size();
  }

  std::string_view text_;
  const Variables& variables_;
  Line line_;
  Word word_;
  size_t at_ = 0;
  size_t quote_at_ = 0;
  char quote_ = '\0';
  bool in_word_ = false;
};

}  // namespace

Line read_line(std::string_view text, const Variables& variables) {
  return Reader(text, variables).run();
}

std::string quoted(std::string_view value) {
  bool plain = value.find_first_of(" \t\r\n\v\f#\\'\"") == std::string_view::npos;
  if (plain && !value.empty()) return std::string(value);
  if (value.find_first_of("'\r\n") == std::string_view::npos) return "'" + std::string(value) + "'";
  std::string text = "\"";
  for (char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else {
      if (c == '"' || c == '\\' || c == '$') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

}  // namespace certrebind::haproxy
