// IP addresses as text, without the system's headers: equal addresses must compare equal however
// they are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace certrebind {

// Takes "127.0.0.1" and gives it back; nothing for any other form (nginx takes four decimal numbers
// only, ngx_inet_addr).
std::optional<std::string> canonical_ipv4(std::string_view text);

// Takes an IPv6 address without brackets; gives it as RFC 5952 writes it, or nothing.
std::optional<std::string> canonical_ipv6(std::string_view text);

}  // namespace certrebind
