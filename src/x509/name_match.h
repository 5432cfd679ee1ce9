// Which names a certificate covers (RFC 6125 section 6.4, RFC 9525).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// `pattern` is a certificate's name: exact, or with "*" as its whole leftmost label. `name` is a
// host name, an IP address, or itself a wildcard ("*.example.com" is covered only by the same
// wildcard). Case and a trailing dot do not matter.
bool covers(std::string_view pattern, std::string_view name);
bool covers(const std::vector<std::string>& patterns, std::string_view name);

}  // namespace certrebind
