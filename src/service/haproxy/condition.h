// The conditions of ".if" and ".elif": what HAProxy 2.6 evaluates while it reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/haproxy/lexer.h"

namespace certrebind::haproxy {

// What the program says of itself (`haproxy -vv`).
struct Build {
  std::string version;   // "2.6.12"; empty: not known
  std::string features;  // "+EPOLL -KQUEUE …"
};

// Takes the output of `haproxy -vv`.
Build parse_build(std::string_view output);

// Compares versions by their numbers: negative, zero or positive. Nothing if one has none.
std::optional<int> compare_versions(std::string_view one, std::string_view other);

// True or false, or nothing for a predicate that cannot be judged from here. An empty condition is
// false, a number is true unless it is zero; "!", "&&", "||" and parentheses combine.
std::optional<bool> evaluate(std::string_view condition, const Variables& variables,
                             const Build& build);

}  // namespace certrebind::haproxy
