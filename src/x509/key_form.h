// Private keys as OpenSSL has them, and as PKCS #8 in PEM. For x509/ only.
#pragma once

#include <string>

#include "base/result.h"
#include "x509/openssl.h"

namespace certrebind {

Result<std::string> pem_of_key(EVP_PKEY* key);
// Null if `pem` is no private key without encryption.
KeyPtr key_of_pem(const std::string& pem);

}  // namespace certrebind
