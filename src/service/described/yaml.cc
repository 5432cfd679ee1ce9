#include "service/described/yaml.h"

#include <optional>

#include "base/text.h"
#include "service/described/settings_tree.h"

namespace certrebind::described {

namespace {

using Json = nlohmann::json;

constexpr int kDeepestYaml = 64;
constexpr size_t kMostLines = 1'000'000;

struct YamlLine {
  size_t indent = 0;
  std::string text;  // without indent, comment and blanks at its end
  int number = 0;
};

// The end of a scalar that begins with a quote: behind the closing one; npos if there is none.
size_t end_of_quoted(std::string_view text) {
  const char quote = text.front();
  for (size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return text.npos;
}

bool is_quote(char c) {
  return c == '"' || c == '\'';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// "#" begins a comment at the start of a line and after a blank, outside quotes.
std::string_view without_comment_of_yaml(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins_word = i == 0 || is_blank(text[i - 1]) || text[i - 1] == '[' ||
                             text[i - 1] == '{' || text[i - 1] == ',';
    if (begins_word && is_quote(text[i])) {
      const size_t end = end_of_quoted(text.substr(i));
      if (end == text.npos) return text;
      i += end - 1;
    } else if (text[i] == '#' && (i == 0 || is_blank(text[i - 1]))) {
      return trim(text.substr(0, i));
    }
  }
  return trim(text);
}

std::string unquoted_scalar(std::string_view text) {
  if (text.size() < 2 || !is_quote(text.front())) {
    const bool is_null = text == "~" || text == "null";
    return is_null ? "" : std::string(text);
  }
  const char quote = text.front();
  std::string plain;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (quote == '\'' && text[i] == '\'') ++i;
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) ++i;
    if (i < text.size()) plain += text[i];
  }
  return plain;
}

// The colon that ends a key: a blank or nothing follows it. npos if the text begins with no key.
size_t end_of_key(std::string_view text) {
  size_t from = 0;
  if (!text.empty() && is_quote(text.front())) {
    from = end_of_quoted(text);
    if (from == text.npos) return from;
  }
  for (size_t i = from; i < text.size(); ++i)
    if (text[i] == ':' && (i + 1 == text.size() || is_blank(text[i + 1]))) return i;
  return text.npos;
}

// "[a, b]" and "{a: b}" on one line.
class FlowReader {
 public:
  explicit FlowReader(std::string_view text) : left_(text) {}

  // Unset if it is not understood.
  std::optional<Json> run() {
    auto value = read(0);
    if (!value || !trim(left_).empty()) return std::nullopt;
    return value;
  }

 private:
  std::optional<Json> read(int depth) {
    left_ = trim(left_);
    if (depth > kDeepestYaml || left_.empty()) return std::nullopt;
    if (left_.front() == '[') return sequence(depth);
    if (left_.front() == '{') return mapping(depth);
    return scalar(",]}");
  }

  std::optional<Json> scalar(std::string_view ends) {
    size_t end = is_quote(left_.front()) ? end_of_quoted(left_) : left_.find_first_of(ends);
    if (end == left_.npos) return std::nullopt;
    Json value = unquoted_scalar(trim(left_.substr(0, end)));
    left_ = left_.substr(end);
    return value;
  }

  bool take(char c) {
    left_ = trim(left_);
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }

  std::optional<Json> sequence(int depth) {
    Json values = Json::array();
    take('[');
    while (!take(']')) {
      auto value = read(depth + 1);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
      if (!take(',') && !trim(left_).starts_with(']')) return std::nullopt;
    }
    return values;
  }

  std::optional<Json> mapping(int depth) {
    Json values = Json::object();
    take('{');
    while (!take('}')) {
      left_ = trim(left_);
      if (left_.empty()) return std::nullopt;
      auto name = scalar(":,}");
      if (!name || !take(':')) return std::nullopt;
      auto value = read(depth + 1);
      if (!value) return std::nullopt;
      values[name->get<std::string>()] = std::move(*value);
      if (!take(',') && !trim(left_).starts_with('}')) return std::nullopt;
    }
    return values;
  }

  std::string_view left_;
};

class YamlReader {
 public:
  YamlReader(const std::string& file, std::vector<Diagnostic>& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  Json run(const std::string& text) {
    divide(text);
    if (lines_.empty()) return Json::object();
    Json value = block(lines_.front().indent, 0);
    if (at_ < lines_.size()) complain("this and the rest is not understood");
    return value;
  }

 private:
  void divide(const std::string& text) {
    int number = 0;
    bool has_content = false;
    for (const std::string& raw : split(text, '\n')) {
      ++number;
      const size_t indent = raw.find_first_not_of(' ');
      if (indent == raw.npos) continue;
      std::string plain(without_comment_of_yaml(std::string_view(raw).substr(indent)));
      if (plain.empty() || plain.front() == '%') continue;
      const bool is_marker = plain == "---" || plain == "...";
      if (is_marker && !has_content) continue;
      if (is_marker) return;  // the programs described here read one document
      has_content = true;
      if (lines_.size() == kMostLines)
        return diagnostics_.push_back(
            {Severity::warning, file_, number, 0, "it is too long; the rest is not read"});
      lines_.push_back({indent, std::move(plain), number});
    }
  }

  void complain(std::string message) {
    if (++complaints_ > kMostComplaints) return;
    if (complaints_ == kMostComplaints) message = "more is not understood";
    diagnostics_.push_back(
        {Severity::warning, file_, lines_[at_].number, 0, "YAML: " + std::move(message)});
  }

  static bool is_item(std::string_view text) { return text == "-" || text.starts_with("- "); }

  bool goes_on(size_t indent) const { return at_ < lines_.size() && lines_[at_].indent == indent; }

  void skip_deeper(size_t indent) {
    while (at_ < lines_.size() && lines_[at_].indent > indent) ++at_;
  }

  Json block(size_t indent, int depth) {
    if (depth > kDeepestYaml) {
      complain("it is nested too deeply");
      at_ = lines_.size();
      return "";
    }
    if (is_item(lines_[at_].text)) return sequence(indent, depth);
    if (end_of_key(lines_[at_].text) != std::string::npos) return mapping(indent, depth);
    Json value = scalar(lines_[at_].text);
    ++at_;
    return value;
  }

  Json sequence(size_t indent, int depth) {
    Json values = Json::array();
    while (goes_on(indent) && is_item(lines_[at_].text)) {
      YamlLine& line = lines_[at_];
      if (line.text == "-") {
        ++at_;
        values.push_back(below(indent, depth));
        continue;
      }
      // The rest of the line is a block of its own, further in.
      const size_t first = line.text.find_first_not_of(' ', 1);
      line.text = line.text.substr(first);
      line.indent += first;
      values.push_back(block(line.indent, depth + 1));
      leave_unread(indent);
    }
    return values;
  }

  // A block on the lines below, if they are further in.
  Json below(size_t indent, int depth) {
    if (at_ < lines_.size() && lines_[at_].indent > indent) {
      Json value = block(lines_[at_].indent, depth + 1);
      leave_unread(indent);
      return value;
    }
    return "";
  }

  void leave_unread(size_t indent) {
    if (at_ >= lines_.size() || lines_[at_].indent <= indent) return;
    complain("this line is not understood");
    skip_deeper(indent);
  }

  Json mapping(size_t indent, int depth) {
    Json values = Json::object();
    while (goes_on(indent) && !is_item(lines_[at_].text)) {
      const std::string text = lines_[at_].text;
      const size_t colon = end_of_key(text);
      if (colon == std::string::npos || text.starts_with("? ") || text.starts_with("<<")) {
        complain("this line is not understood");
        ++at_;
        skip_deeper(indent);
        continue;
      }
      const std::string name = unquoted_scalar(trim(std::string_view(text).substr(0, colon)));
      values[name] = value_behind(trim(std::string_view(text).substr(colon + 1)), indent, depth);
    }
    return values;
  }

  Json value_behind(std::string_view text, size_t indent, int depth) {
    if (text.empty()) {
      ++at_;
      // The items of a list may stand as far out as its name.
      if (goes_on(indent) && is_item(lines_[at_].text)) return sequence(indent, depth + 1);
      return below(indent, depth);
    }
    if (text.front() == '|' || text.front() == '>') return block_scalar(indent);
    Json value = scalar(text);
    ++at_;
    leave_unread(indent);
    return value;
  }

  Json block_scalar(size_t indent) {
    std::string text;
    for (++at_; at_ < lines_.size() && lines_[at_].indent > indent; ++at_)
      text += lines_[at_].text + "\n";
    return text;
  }

  Json scalar(std::string_view text) {
    const char first = text.front();
    if (first == '[' || first == '{') {
      if (auto value = FlowReader(text).run()) return *value;
      complain("this line is not understood");
      return "";
    }
    if (first == '&' || first == '*' || first == '!') {
      complain("certrebind does not follow anchors, aliases and tags");
      return "";
    }
    if (is_quote(first) && end_of_quoted(text) != text.size()) {
      complain("this line is not understood");
      return "";
    }
    return unquoted_scalar(text);
  }

  const std::string& file_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<YamlLine> lines_;
  size_t complaints_ = 0;
  size_t at_ = 0;
};

}  // namespace

nlohmann::json read_yaml(const std::string& text, const std::string& file,
                         std::vector<Diagnostic>& diagnostics) {
  return YamlReader(file, diagnostics).run(text);
}

}  // namespace certrebind::described
