// IP addresses as text. Equal addresses compare equal, however they were written.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace certrebind {

// Takes four decimal numbers ("127.0.0.1"; nginx accepts no other form, ngx_inet_addr) and returns
// them without leading zeros. Unset for any other text.
std::optional<std::string> canonical_ipv4(std::string_view text);

// Takes an IPv6 address without brackets and returns it in the form of RFC 5952. Unset for any
// other text.
std::optional<std::string> canonical_ipv6(std::string_view text);

// An address, with or without brackets, in canonical form. Any other text is returned unchanged.
std::string canonical_ip(std::string_view text);

// The text of an address as a certificate stores it (RFC 5280: 4 or 16 bytes). Any other number of
// bytes is returned in hex.
std::string ip_text(std::string_view bytes);

using Ip = std::array<unsigned char, 16>;  // IPv4 addresses as ::ffff:a.b.c.d
// Ignores a zone ("%eth0"). Unset for text that is no address.
std::optional<Ip> ip_of(const std::string& host);

// True for text that can only be an address: an IPv4 literal, or anything with a colon.
bool looks_like_ip(std::string_view text);

}  // namespace certrebind
