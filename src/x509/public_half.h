// The public key that a private key's DER carries beside the secret: PKCS #8 (RFC 5208), RSA
// (RFC 8017 appendix A.1.2) and EC (RFC 5915). What servers compare with the certificate, read in
// some microseconds where OpenSSL 3.0 takes some 70.
#pragma once

#include <string_view>

#include "x509/pem.h"

namespace certrebind {

// The key in this block, not encrypted, is whole and carries the public key of the certificate
// `leaf` (DER). False says nothing: it may carry none, or be written otherwise.
bool carries_public_key_of(const PemBlock& key, std::string_view leaf);

}  // namespace certrebind
