#include "service/described/template.h"

#include <algorithm>

#include "base/number.h"
#include "base/text.h"

namespace certrebind::described {

namespace {

std::string word_of(const std::string& text, size_t number, char separator) {
  std::vector<std::string> words = split(text, separator);
  std::erase_if(words, [](const std::string& word) { return trim(word).empty(); });
  if (number == 0 || number > words.size()) return "";
  std::string_view word = trim(words[number - 1]);
  const bool is_quoted = word.size() >= 2 && word.front() == '"' && word.back() == '"';
  return std::string(is_quoted ? word.substr(1, word.size() - 2) : word);
}

bool has_word(std::string list, std::string_view word) {
  std::ranges::replace_if(
      list, [](char c) { return c == ',' || c == '\t'; }, ' ');
  const std::vector<std::string> words = split(list, ' ');
  return std::ranges::find(words, word) != words.end();
}

// "2.10" comes after "2.4", and "2.4" before "2.4.1". Empty for a text without a number in front.
std::vector<uint64_t> version_in(std::string_view text) {
  std::vector<uint64_t> numbers;
  for (const std::string& part :
       split(std::string(text.substr(0, text.find_first_not_of("0123456789."))), '.'))
    if (auto number = whole_number<uint64_t>(part)) numbers.push_back(*number);
  return numbers;
}

// The brace that closes the one at `open`; npos if there is none.
size_t closing_brace(std::string_view text, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return text.npos;
}

// The "|" of this setting, not of one in its pattern; npos if there is none.
size_t bar_outside_braces(std::string_view name) {
  const size_t open = name.find('{'), bar = name.find('|');
  if (open > bar) return bar;
  const size_t close = open == name.npos ? open : closing_brace(name, open);
  return close == name.npos ? close : name.find('|', close);
}

}  // namespace

std::string Template::value(std::string_view name, size_t section) const {
  size_t bar = bar_outside_braces(name);
  const std::string_view otherwise = bar == name.npos ? "" : name.substr(bar + 1);
  name = name.substr(0, bar);
  std::string found = chosen_value(name, section);
  return found.empty() ? expand(otherwise, section) : found;
}

// "name", "name 2", "name 2:", "name PATTERN", "name.*".
std::string Template::chosen_value(std::string_view name, size_t section) const {
  const size_t blank = name.rfind(' ');
  if (blank == name.npos)
    return name.find('*') == name.npos ? plain_value(name, section)
                                       : words_that_fit(name, "", section);
  std::string_view choice = name.substr(blank + 1);
  const std::string_view rest = name.substr(0, blank);
  if (choice.find('*') != choice.npos)
    return words_that_fit(rest, expand(choice, section), section);
  const bool is_divided = !choice.empty() && (choice.back() < '0' || choice.back() > '9');
  const char separator = is_divided ? choice.back() : ' ';
  if (is_divided) choice.remove_suffix(1);
  const auto number = whole_number<size_t>(choice);
  if (!number) return plain_value(name, section);
  return word_of(chosen_value(rest, section), *number, separator);
}

std::string Template::words_that_fit(std::string_view name, std::string_view pattern,
                                     size_t section) const {
  std::vector<std::string> found;
  if (name.starts_with('/')) return words_that_fit(name.substr(1), pattern, 0);
  for (const Setting& setting : tree_.sections[section].settings) {
    if (!fits(name, setting.name)) continue;
    std::string list = setting.value;
    std::ranges::replace_if(
        list, [](char c) { return c == ',' || c == '\t'; }, ' ');
    for (std::string& word : split(list, ' '))
      if (!word.empty() && (pattern.empty() || fits(pattern, word)))
        found.push_back(std::move(word));
  }
  return join(found, " ");
}

std::string Template::plain_value(std::string_view name, size_t section) const {
  if (auto fixed = fixed_.find(std::string(name)); fixed != fixed_.end()) return fixed->second;
  if (name == "version" && !tree_.version.empty()) return tree_.version;
  if (name == "section") return tree_.sections[section].argument;
  if (name.starts_with('/')) {
    const Setting* whole = tree_.own(0, name.substr(1));
    return whole ? whole->value : "";
  }
  const bool is_own = name.starts_with('.');
  const Setting* setting = is_own ? tree_.own(section, name.substr(1)) : tree_.find(section, name);
  return setting ? setting->value : "";
}

std::string Template::expand(std::string_view text, size_t section) const {
  std::string expanded;
  while (true) {
    size_t open = text.find('{');
    size_t close = open == text.npos ? open : closing_brace(text, open);
    if (close == text.npos) return expanded + std::string(text);
    expanded += text.substr(0, open);
    expanded += value(text.substr(open + 1, close - open - 1), section);
    text = text.substr(close + 1);
  }
}

bool Template::holds(std::string_view condition, size_t section) const {
  if (const size_t either = condition.find(" or "); either != condition.npos)
    return holds(condition.substr(0, either), section) ||
           holds(condition.substr(either + 4), section);
  condition = trim(condition);
  if (condition.starts_with('!')) return !holds(condition.substr(1), section);
  for (std::string_view sign : {" >= ", " < "})
    if (const size_t at = condition.find(sign); at != condition.npos) {
      const auto found = version_in(value(trim(condition.substr(0, at)), section));
      const auto wanted = version_in(trim(condition.substr(at + sign.size())));
      return !found.empty() && (found < wanted) == (sign == " < ");
    }
  if (size_t tilde = condition.find('~'); tilde != condition.npos)
    return has_word(value(trim(condition.substr(0, tilde)), section),
                    trim(condition.substr(tilde + 1)));
  size_t equals = condition.find('=');
  if (equals == condition.npos) return !value(trim(condition), section).empty();
  const bool is_not = equals > 0 && condition[equals - 1] == '!';
  const std::string found =
      to_lower(value(trim(condition.substr(0, is_not ? equals - 1 : equals)), section));
  const std::vector<std::string> wanted = split(trim(condition.substr(equals + 1)), '|');
  return (std::ranges::find(wanted, found) != wanted.end()) != is_not;
}

}  // namespace certrebind::described
