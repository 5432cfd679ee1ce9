// IP addresses as text: equal addresses compare equal however they were written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace certrebind {

// Takes four decimal numbers ("127.0.0.1"; nginx takes no other form, ngx_inet_addr), and gives
// them without leading zeros. Nothing for any other text.
std::optional<std::string> canonical_ipv4(std::string_view text);

// Takes an IPv6 address without brackets; gives it as RFC 5952 writes it, or nothing.
std::optional<std::string> canonical_ipv6(std::string_view text);

// An address, in brackets or not, in canonical form; the text itself where it is none.
std::string canonical_ip(std::string_view text);

// An address as a certificate holds it (RFC 5280: 4 or 16 bytes), as text; the bytes in hex where
// they are neither 4 nor 16.
std::string ip_text(std::string_view bytes);

// True for text that can only be an address: an IPv4 literal, or anything with a colon.
bool looks_like_ip(std::string_view text);

}  // namespace certrebind
