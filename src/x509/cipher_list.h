// Which key types a list of cipher suites supports. Up to TLS 1.2 each suite works with one key
// type only (RFC 5246, appendix A.5). So a server may have no suite for a new certificate.
#pragma once

#include <string>

#include "x509/certificate.h"

namespace certrebind {

// True if some suite of the list (openssl-ciphers(1)) authenticates with such a key. Also true for
// an empty list, and for one that this OpenSSL rejects, because then nothing is known.
bool has_suite_for(const std::string& ciphers, KeyType type);

}  // namespace certrebind
