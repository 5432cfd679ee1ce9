#include "service/described/lua.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace certrebind::described {

namespace {

constexpr size_t kDeepestTable = 16;
// The settings of a table repeat its name.
constexpr size_t kLongestLuaName = 1000;
constexpr size_t kMostTokens = 1'000'000;

struct LuaToken {
  enum class Kind { name, text, number, sign, end };
  Kind kind = Kind::end;
  std::string value;
  size_t begin = 0;  // as written, quotes included
  size_t end = 0;
  int line = 0;
  int column = 0;

  bool is(std::string_view sign) const { return kind == Kind::sign && value == sign; }
};

class LuaLexer {
 public:
  explicit LuaLexer(const std::string& text) : text_(text) {}

  std::vector<LuaToken> run() {
    std::vector<LuaToken> tokens;
    do {
      skip();
      LuaToken token;
      token.begin = at_;
      token.line = line_;
      token.column = static_cast<int>(at_ - line_begin_) + 1;
      read(token);
      token.end = at_;
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != LuaToken::Kind::end && tokens.size() <= kMostTokens);
    tokens.back().kind = LuaToken::Kind::end;
    return tokens;
  }

 private:
  char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool is_at(std::string_view what) const { return text_.compare(at_, what.size(), what) == 0; }

  void step() {
    if (now() == '\n') {
      ++line_;
      line_begin_ = at_ + 1;
    }
    ++at_;
  }

  // "[[" and "[=[" begin a long bracket; returns its closing one. Empty for anything else.
  std::string long_bracket() const {
    if (now() != '[') return "";
    const size_t second = text_.find_first_not_of('=', at_ + 1);
    if (second == text_.npos || text_[second] != '[') return "";
    return "]" + std::string(second - at_ - 1, '=') + "]";
  }

  std::string read_long(const std::string& close) {
    at_ += close.size();
    std::string text;
    while (at_ < text_.size() && !is_at(close)) {
      text += now();
      step();
    }
    at_ = std::min(text_.size(), at_ + close.size());
    return text;
  }

  void skip() {
    while (at_ < text_.size()) {
      if (is_at("--")) {
        at_ += 2;
        if (std::string close = long_bracket(); !close.empty())
          read_long(close);
        else
          at_ = std::min(text_.size(), text_.find('\n', at_));
      } else if (std::isspace(static_cast<unsigned char>(now())) != 0) {
        step();
      } else {
        return;
      }
    }
  }

  void read(LuaToken& token) {
    using Kind = LuaToken::Kind;
    auto is_word = [&] {
      return std::isalnum(static_cast<unsigned char>(now())) != 0 || now() == '_';
    };
    if (at_ >= text_.size()) return;
    if (std::string close = long_bracket(); !close.empty()) {
      token.kind = Kind::text;
      token.value = read_long(close);
    } else if (now() == '"' || now() == '\'') {
      token.kind = Kind::text;
      read_quoted(token.value);
    } else if (is_word()) {
      const bool is_number = std::isdigit(static_cast<unsigned char>(now())) != 0;
      token.kind = is_number ? Kind::number : Kind::name;
      while (is_word() || (is_number && now() == '.')) {
        token.value += now();
        step();
      }
    } else {
      token.kind = Kind::sign;
      token.value = is_at("..") ? ".." : is_at("==") ? "==" : std::string(1, now());
      at_ += token.value.size();
    }
  }

  void read_quoted(std::string& into) {
    const char quote = now();
    for (step(); at_ < text_.size() && now() != quote && now() != '\n'; step()) {
      if (now() == '\\' && at_ + 1 < text_.size()) step();
      into += now();
    }
    if (at_ < text_.size() && now() == quote) step();
  }

  const std::string& text_;
  size_t at_ = 0;
  size_t line_begin_ = 0;
  int line_ = 1;
};

class LuaReader {
 public:
  LuaReader(const Source& source, const std::string& text, const std::string& file, size_t at,
            SettingsTree& tree)
      : source_(source),
        text_(text),
        file_(file),
        outside_(at),
        section_(at),
        tree_(tree),
        tokens_(LuaLexer(text).run()) {}

  void run() {
    while (now().kind != LuaToken::Kind::end && tree_.sections.size() <= kMostSections) statement();
    if (tokens_.size() > kMostTokens || now().kind != LuaToken::Kind::end)
      tree_.diagnostics.push_back(
          {Severity::warning, file_, now().line, 0, "it is too long; the rest is not read"});
  }

 private:
  using Kind = LuaToken::Kind;

  const LuaToken& now() const { return tokens_[at_]; }
  const LuaToken& next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void step() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool take(std::string_view sign) {
    if (!now().is(sign)) return false;
    step();
    return true;
  }

  void note(Severity severity, std::string message) {
    if (++complaints_ > kMostComplaints) return;
    if (complaints_ == kMostComplaints) message = "more is not understood";
    tree_.diagnostics.push_back({severity, file_, now().line, 0, std::move(message)});
  }

  // The rest of the line is skipped, and no token less than one.
  void complain(const std::string& message) {
    const int line = now().line;
    note(Severity::warning, message);
    do step();
    while (now().line == line && now().kind != Kind::end);
  }

  // Skips an expression: it ends before a separator, the end of a table, or the next statement.
  void skip_expression(const std::string& name) {
    const int line = now().line;
    note(Severity::note,
         "certrebind does not follow expressions: the value of '" + name + "' is unknown to it");
    size_t depth = 0;
    while (now().kind != Kind::end) {
      const LuaToken& token = now();
      const bool opens = token.is("(") || token.is("{") || token.is("[");
      const bool closes = token.is(")") || token.is("}") || token.is("]");
      const bool begins_statement = token.kind == Kind::name && token.line > line;
      if (depth == 0 && (closes || token.is(",") || token.is(";") || begins_statement)) return;
      if (opens) ++depth;
      if (closes) --depth;
      step();
    }
  }

  void set(const std::string& name, const std::string& value, const LuaToken& from,
           const LuaToken& to) {
    Setting setting{.name = name, .value = value, .where = {.file = file_}, .written = {}};
    setting.where.begin = from.begin;
    setting.where.end = to.end;
    setting.where.line = from.line;
    setting.where.column = from.column;
    setting.written = text_.substr(from.begin, to.end - from.begin);
    tree_.sections[section_].settings.push_back(std::move(setting));
  }

  void statement() {
    if (take(";")) return;
    if (now().kind != Kind::name) return complain("this line is not understood");
    const std::string name = now().value;
    if (next().is("=")) {
      step();
      step();
      return value_of(name);
    }
    if (next().kind != Kind::text) return complain("this line is not understood");
    step();
    const LuaToken text = now();
    const bool is_section = std::ranges::find(source_.sections, name) != source_.sections.end();
    if (is_section) section_ = outside_;
    set(name, text.value, text, text);
    if (is_section) section_ = tree_.open(outside_, name, text.value);
    step();
    // Component "HOST" "MODULE"; VirtualHost "HOST" { … }
    if (now().kind == Kind::text) step();
    if (now().is("{")) table("", 0);
  }

  // Behind "NAME =".
  void value_of(const std::string& name, size_t depth = 0) {
    if (name.size() > kLongestLuaName) return skip_expression(name.substr(0, kLongestLuaName));
    if (now().is("{")) return table(name, depth);
    const LuaToken value = now();
    const bool is_word = value.value == "true" || value.value == "false" || value.value == "nil";
    const bool is_plain = value.kind == Kind::text || value.kind == Kind::number ||
                          (value.kind == Kind::name && is_word);
    const LuaToken& behind = next();
    const bool ends = behind.is(";") || behind.is(",") || behind.is("}");
    const bool goes_on =
        (behind.kind == Kind::sign && !ends) || behind.value == "and" || behind.value == "or";
    if (!is_plain || goes_on) return skip_expression(name);
    step();
    if (value.value != "nil") set(name, value.value, value, value);
  }

  // Values without a name become one setting, divided by commas; those with a name NAME.THEIRS.
  void table(const std::string& name, size_t depth) {
    const LuaToken from = now();
    std::vector<std::string> plain;
    if (depth > kDeepestTable) return complain("tables are nested too deeply");
    step();
    while (!now().is("}") && now().kind != Kind::end) {
      if (take(";") || take(",")) continue;
      std::string key;
      const bool is_index = now().is("[") && next().kind == Kind::text;
      if (is_index) step();
      if (is_index || (now().kind == Kind::name && next().is("="))) {
        key = now().value;
        step();
        if (is_index) take("]");
        if (!take("=")) {
          complain("this line is not understood");
          continue;
        }
        value_of(name.empty() ? key : name + "." + key, depth + 1);
      } else if (now().is("{")) {
        table(name, depth + 1);
      } else if (now().kind == Kind::text || now().kind == Kind::number) {
        plain.push_back(now().value);
        step();
      } else {
        skip_expression(name);
        if (now().is(")") || now().is("]")) step();
      }
    }
    const LuaToken to = now();
    if (!take("}")) complain("a table is not closed");
    if (!name.empty()) set(name, join(plain, ", "), from, to);
  }

  const Source& source_;
  const std::string& text_;
  const std::string& file_;
  const size_t outside_;
  size_t section_;
  SettingsTree& tree_;
  const std::vector<LuaToken> tokens_;
  size_t complaints_ = 0;
  size_t at_ = 0;
};

}  // namespace

void read_lua(const Source& source, const std::string& text, const std::string& file, size_t at,
              SettingsTree& tree) {
  LuaReader(source, text, file, at, tree).run();
}

}  // namespace certrebind::described
