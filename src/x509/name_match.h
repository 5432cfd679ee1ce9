// Which names a certificate covers (RFC 6125 section 6.4, RFC 9525).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// True if the certificate name `pattern` covers `name`. `pattern` is exact, or has "*" as its whole
// leftmost label. `name` is a host name, an IP address, or itself a wildcard (only the same
// wildcard covers "*.example.com"). Ignores case and a trailing dot.
bool covers(std::string_view pattern, std::string_view name);
bool covers(const std::vector<std::string>& patterns, std::string_view name);
// True if one of the names is covered, or if there are none.
bool covers_some(const std::vector<std::string>& patterns, const std::vector<std::string>& names);

}  // namespace certrebind
