// Names that can be sent in a TLS handshake.
#pragma once

#include <string_view>

namespace certrebind {

// True if the name can be sent as SNI: a lower-case host name that is not an address (RFC 6066
// section 3).
bool is_sni_name(std::string_view name);

}  // namespace certrebind
