#include "store/renewer_text.h"

#include <algorithm>
#include <utility>

#include "base/number.h"
#include "base/text.h"

namespace certrebind {

namespace {

constexpr std::string_view kOperators = ";&|()<>";

bool is_name(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

// The end of the variable name that begins at `at`.
size_t name_end(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_name(text.substr(at, end + 1 - at))) ++end;
  return end;
}

// Expands the variable at text[at] == '$' and moves `at` behind it. False for more complex
// expansions.
bool expand(std::string_view text, size_t& at, const Values& known, std::string& into) {
  bool braced = at + 1 < text.size() && text[at + 1] == '{';
  size_t begin = at + (braced ? 2 : 1);
  size_t end = name_end(text, begin);
  if (end == begin || (braced && (end == text.size() || text[end] != '}'))) return false;
  auto found = known.find(std::string(text.substr(begin, end - begin)));
  if (found == known.end()) return false;
  into += found->second;
  at = end + (braced ? 1 : 0);
  return true;
}

// One word as a shell reads it. Unset if only a shell could evaluate it.
std::optional<std::string> shell_value(std::string_view text, const Values& known) {
  std::string value;
  char quote = 0;
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    if (quote == 0 && (c == ' ' || c == '\t' || c == ';' || c == '#')) break;
    if (c == quote || (quote == 0 && (c == '"' || c == '\''))) {
      quote = quote == 0 ? c : '\0';
    } else if (quote != '\'' && (c == '`' || c == '\\')) {
      return std::nullopt;
    } else if (quote != '\'' && c == '$') {
      if (!expand(text, at, known, value)) return std::nullopt;
      continue;
    } else {
      value += c;
    }
    ++at;
  }
  return quote == 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::chrono::seconds> unit_of(std::string_view word) {
  using std::chrono::days, std::chrono::hours, std::chrono::seconds;
  static const std::pair<std::string_view, seconds> kUnits[] = {{"min", std::chrono::minutes(1)},
                                                                {"h", hours(1)},
                                                                {"d", days(1)},
                                                                {"w", days(7)},
                                                                {"mon", days(30)},
                                                                {"y", days(365)},
                                                                {"s", seconds(1)},
                                                                {"m", days(30)}};
  for (const auto& [begin, length] : kUnits)
    if (word.starts_with(begin)) return length;
  return std::nullopt;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::string base64_text(std::string_view digits) {
  std::string text;
  uint32_t bits = 0;
  int held = 0;
  for (char c : digits) {
    int digit = base64_digit(c);
    if (digit < 0) continue;  // acme.sh splits long values into words
    bits = (bits << 6 | static_cast<uint32_t>(digit)) & 0xffffffu;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    text += static_cast<char>(bits >> held & 0xff);
  }
  return text;
}

}  // namespace

Values plain_values(std::string_view text) {
  Values values;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty() || std::string_view("#; \t").find(line[0]) != std::string_view::npos) continue;
    size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string_view whole = line;
    values[std::string(trim(whole.substr(0, equals)))] = trim(whole.substr(equals + 1));
  }
  return values;
}

Values shell_values(std::string_view text, Values known) {
  for (const std::string& line : split(text, '\n')) {
    std::string_view rest = trim(line);
    if (rest.starts_with("export ")) rest = trim(rest.substr(7));
    size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !is_name(rest.substr(0, equals))) continue;
    std::string name(rest.substr(0, equals));
    if (auto value = shell_value(rest.substr(equals + 1), known)) {
      known[name] = *value;
    } else {
      known.erase(name);
    }
  }
  return known;
}

std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = 0;
  auto end = [&] {
    if (begun) words.push_back(std::exchange(word, {}));
    begun = false;
  };
  for (char c : line) {
    if (c == quote || (quote == 0 && (c == '"' || c == '\''))) {
      quote = quote == 0 ? c : '\0';
      begun = true;
    } else if (quote == 0 &&
               (c == ' ' || c == '\t' || kOperators.find(c) != std::string_view::npos)) {
      end();
    } else if (quote == 0 && c == '#' && !begun) {
      break;
    } else {
      word += c;
      begun = true;
    }
  }
  end();
  return words;
}

std::optional<std::string> option_of(const std::vector<std::string>& words,
                                     const std::vector<std::string>& options) {
  for (size_t i = 0; i < words.size(); ++i)
    for (const std::string& option : options) {
      if (words[i] == option && i + 1 < words.size()) return words[i + 1];
      if (option.starts_with("--") && words[i].starts_with(option + "="))
        return words[i].substr(option.size() + 1);
    }
  return std::nullopt;
}

std::optional<std::chrono::seconds> interval_of(std::string_view text) {
  std::vector<std::string> words = shell_words(text);
  std::chrono::seconds sum{};
  for (size_t i = 0; i < words.size(); i += 2) {
    auto number = whole_number<int64_t>(words[i]);
    auto unit = i + 1 < words.size() ? unit_of(to_lower(words[i + 1])) : unit_of("days");
    if (!number || !unit || *number < 0 || *number > 100'000) return std::nullopt;
    sum += *number * *unit;
  }
  return words.empty() ? std::nullopt : std::optional(sum);
}

std::string acme_sh_text(const std::string& written) {
  constexpr std::string_view kStart = "__ACME_BASE64__START_", kEnd = "__ACME_BASE64__END_";
  if (!written.starts_with(kStart) || !written.ends_with(kEnd)) return written;
  std::string_view digits = written;
  digits.remove_prefix(kStart.size());
  digits.remove_suffix(std::min(digits.size(), kEnd.size()));
  return base64_text(digits);
}

}  // namespace certrebind
