// Names that can be sent in a TLS handshake.
#pragma once

#include <string_view>

namespace certrebind {

// Whether a name can be sent as SNI: a host name in lower case and no address (RFC 6066 section 3).
bool is_sni_name(std::string_view name);

}  // namespace certrebind
