#include "service/haproxy/environment.h"

#include <algorithm>
#include <cctype>

namespace certrebind::haproxy {

namespace {

bool is_in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

std::string expand_variables(std::string_view text,
                             const std::map<std::string, std::string>& environment) {
  std::string expanded;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      expanded += text[at++];
      continue;
    }
    const bool brace = text.substr(at + 1).starts_with('{');
    const size_t begin = at + (brace ? 2 : 1);
    size_t end = begin;
    while (end < text.size() && is_in_name(text[end])) ++end;
    auto value = environment.find(std::string(text.substr(begin, end - begin)));
    if (value != environment.end()) expanded += value->second;
    at = brace && text.substr(end).starts_with('}') ? end + 1 : end;
  }
  return expanded;
}

}  // namespace certrebind::haproxy
