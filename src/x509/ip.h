// IP addresses as certificates hold them (RFC 5280: 4 or 16 bytes) and as people write them.
#pragma once

#include <string>
#include <string_view>

namespace certrebind {

// "192.0.2.1", or IPv6 as RFC 5952 has it; the bytes in hex where there are not 4 or 16.
std::string ip_text(std::string_view bytes);

// True for text that can only be an address: an IPv4 literal, or anything with a colon.
bool looks_like_ip(std::string_view text);

// An address in the form that `ip_text` gives; the text itself where it is none.
std::string canonical_ip(std::string_view text);

}  // namespace certrebind
