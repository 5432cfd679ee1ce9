// What a list of cipher suites says of keys: up to TLS 1.2 each suite is for one type (RFC 5246,
// appendix A.5), so that a server may be left without any for a new certificate.
#pragma once

#include <string>

#include "x509/certificate.h"

namespace certrebind {

// Whether some suite of this list (openssl-ciphers(1)) authenticates with such a key. A list that
// is empty, or that this OpenSSL does not take, suits every key: nothing is known of it.
bool has_suite_for(const std::string& ciphers, KeyType type);

}  // namespace certrebind
