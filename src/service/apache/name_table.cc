#include "service/apache/name_table.h"

#include <algorithm>

namespace certrebind::apache {

namespace {

bool is_suffix_pattern(std::string_view name) {
  return name.starts_with("*.") && name.find_first_of("*?", 1) == std::string_view::npos;
}

}  // namespace

void NameTable::add(std::string_view name, uint32_t position) {
  if (is_suffix_pattern(name)) {
    suffixes_.emplace(name.substr(2), position);
  } else if (name.find_first_of("*?") != std::string_view::npos) {
    patterns_.push_back({name, position});
  } else {
    exact_.emplace(name, position);
  }
}

std::optional<uint32_t> NameTable::find(std::string_view name) const {
  uint32_t best = UINT32_MAX;
  if (auto found = exact_.find(name); found != exact_.end()) best = found->second;
  for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    auto found = suffixes_.find(name.substr(dot + 1));
    if (found != suffixes_.end()) best = std::min(best, found->second);
  }
  for (const Pattern& pattern : patterns_)
    if (pattern.position < best && matches_pattern(pattern.text, name)) best = pattern.position;
  if (best == UINT32_MAX) return std::nullopt;
  return best;
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace certrebind::apache
