// The conditions of ".if" and ".elif", which HAProxy 2.6 evaluates while reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/haproxy/lexer.h"

namespace certrebind::haproxy {

// The build information of the program (`haproxy -vv`).
struct Build {
  std::string version;   // "2.6.12"; empty: unknown
  std::string features;  // "+EPOLL -KQUEUE …"
};

// Takes the output of `haproxy -vv`.
Build parse_build(std::string_view output);

// Compares versions by their numbers: negative, zero or positive. Unset if one contains no number.
std::optional<int> compare_versions(std::string_view one, std::string_view other);

// True if the program is known to be of this version or a later one.
bool is_since(const Build& build, std::string_view version);

// True or false; unset for a predicate that we cannot evaluate. An empty condition is false. A
// number is true unless it is zero. "!", "&&", "||" and parentheses combine conditions.
std::optional<bool> evaluate(std::string_view condition, const Variables& variables,
                             const Build& build);

}  // namespace certrebind::haproxy
