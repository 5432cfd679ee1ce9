#include "service/haproxy/condition.h"

#include <charconv>
#include <vector>

#include "base/number.h"
#include "base/text.h"

namespace certrebind::haproxy {

namespace {

using Truth = std::optional<bool>;

std::vector<int> numbers_of(std::string_view version) {
  std::vector<int> numbers;
  const char* at = version.data();
  const char* end = at + version.size();
  while (at < end) {
    int number = 0;
    auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    if (next == end || *next != '.') break;
    at = next + 1;
  }
  return numbers;
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const Variables& variables, const Build& build)
      : text_(text), variables_(variables), build_(build) {}

  Truth run() {
    skip_blanks();
    if (at_end()) return false;
    Truth value = alternatives();
    skip_blanks();
    return at_end() && !broken_ ? value : std::nullopt;
  }

 private:
  // No real condition is deeper.
  static constexpr int kDeepest = 100;

  bool at_end() const { return at_ >= text_.size(); }
  void skip_blanks() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view mark) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(mark)) return false;
    at_ += mark.size();
    return true;
  }

  Truth alternatives() {
    Truth value = conjunction();
    while (take("||")) {
      Truth other = conjunction();
      if ((value && *value) || (other && *other)) {
        value = true;
      } else if (!value || !other) {
        value = std::nullopt;
      }
    }
    return value;
  }

  Truth conjunction() {
    Truth value = term();
    while (take("&&")) {
      Truth other = term();
      if ((value && !*value) || (other && !*other)) {
        value = false;
      } else if (!value || !other) {
        value = std::nullopt;
      }
    }
    return value;
  }

  Truth term() {
    if (++depth_ > kDeepest) {
      broken_ = true;
      at_ = text_.size();
      return std::nullopt;
    }
    Truth value;
    if (take("!")) {
      value = term();
      if (value) value = !*value;
    } else if (take("(")) {
      value = alternatives();
      if (!take(")")) broken_ = true;
    } else {
      value = predicate();
    }
    --depth_;
    return value;
  }

  Truth predicate() {
    skip_blanks();
    size_t begin = at_;
    while (!at_end() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    std::string name(text_.substr(begin, at_ - begin));
    if (name.empty()) broken_ = true;
    if (auto number = whole_number<int>(name)) return *number != 0;
    return call(name, arguments());
  }

  // "(a,b)": blanks around an argument and quotes are not part of it.
  std::vector<std::string> arguments() {
    std::vector<std::string> values;
    if (!take("(")) return values;
    size_t close = text_.find(')', at_);
    if (close == std::string_view::npos) {
      broken_ = true;
      at_ = text_.size();
      return values;
    }
    for (const std::string& part : split(text_.substr(at_, close - at_), ',')) {
      std::string_view value = trim(part);
      bool in_quotes = value.size() > 1 && value.front() == value.back() &&
                       (value.front() == '"' || value.front() == '\'');
      values.emplace_back(in_quotes ? value.substr(1, value.size() - 2) : value);
    }
    at_ = close + 1;
    return values;
  }

  Truth call(const std::string& name, const std::vector<std::string>& values) {
    auto value = [&](size_t i) { return i < values.size() ? values[i] : std::string(); };
    if (name == "defined") return variables_(value(0)).has_value();
    if (name == "streq") return value(0) == value(1);
    if (name == "strneq") return value(0) != value(1);
    if (name == "strstr") return value(0).find(value(1)) != std::string::npos;
    if (name == "feature" && !build_.features.empty())
      return (" " + build_.features + " ").find(" +" + value(0) + " ") != std::string::npos;
    auto order = compare_versions(build_.version, value(0));
    if (name == "version_atleast" && order) return *order >= 0;
    if (name == "version_before" && order) return *order < 0;
    return std::nullopt;
  }

  std::string_view text_;
  const Variables& variables_;
  const Build& build_;
  size_t at_ = 0;
  int depth_ = 0;
  bool broken_ = false;
};

// The text after `mark` on its line.
std::string after(std::string_view output, std::string_view mark) {
  size_t at = output.find(mark);
  if (at == std::string_view::npos) return {};
  std::string_view rest = output.substr(at + mark.size());
  return std::string(trim(rest.substr(0, rest.find('\n'))));
}

}  // namespace

Build parse_build(std::string_view output) {
  std::string version = after(output, "version ");
  return {.version = version.substr(0, version.find_first_of(" -")),
          .features = after(output, "Feature list :")};
}

std::optional<int> compare_versions(std::string_view one, std::string_view other) {
  std::vector<int> left = numbers_of(one), right = numbers_of(other);
  if (left.empty() || right.empty()) return std::nullopt;
  left.resize(std::max(left.size(), right.size()));
  right.resize(left.size());
  if (left == right) return 0;
  return left < right ? -1 : 1;
}

bool is_since(const Build& build, std::string_view version) {
  auto order = compare_versions(build.version, version);
  return order && *order >= 0;
}

std::optional<bool> evaluate(std::string_view condition, const Variables& variables,
                             const Build& build) {
  return Evaluator(condition, variables, build).run();
}

}  // namespace certrebind::haproxy
