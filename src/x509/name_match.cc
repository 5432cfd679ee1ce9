#include "x509/name_match.h"

#include <algorithm>

#include "base/text.h"
#include "sys/ip_text.h"

namespace certrebind {

namespace {

std::string_view without_trailing_dot(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// Compares ASCII letters without case, as DNS does.
bool equal_names(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// "*.example.com" covers "www.example.com". The rest must have two labels: as in browsers and
// OpenSSL, "*.com" covers nothing.
bool wildcard_covers(std::string_view pattern, std::string_view name) {
  size_t dot = name.find('.');
  if (!pattern.starts_with("*.") || dot == std::string_view::npos || dot == 0) return false;
  std::string_view rest = pattern.substr(1);
  if (rest.find('.', 1) == std::string_view::npos || name.substr(0, dot) == "*") return false;
  return equal_names(rest, name.substr(dot));
}

}  // namespace

bool covers(std::string_view pattern, std::string_view name) {
  pattern = without_trailing_dot(pattern);
  name = without_trailing_dot(name);
  if (pattern.empty() || name.empty()) return false;
  if (equal_names(pattern, name)) return true;
  if (!looks_like_ip(name)) return wildcard_covers(pattern, name);
  return looks_like_ip(pattern) && canonical_ip(pattern) == canonical_ip(name);
}

bool covers(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const auto& pattern) { return covers(pattern, name); });
}

bool covers_some(const std::vector<std::string>& patterns, const std::vector<std::string>& names) {
  return names.empty() || std::ranges::any_of(names, [&](const std::string& name) {
           return covers(patterns, name);
         });
}

}  // namespace certrebind
