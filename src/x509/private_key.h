// Private keys that are made here, or that come from a file in any form. The result is always
// PKCS #8 in PEM without encryption, which every server reads.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "x509/certificate.h"

namespace certrebind {

// ECDSA with 256, 384 or 521 bits, or RSA with 2048 to 8192. 0 bits: 256 and 3072.
Result<std::string> make_private_key(KeyType type, int bits);

// The key in a PEM block or in DER. `password`: null if none was given. It is needed only for an
// encrypted key.
Result<std::string> plain_key_of_pem(std::string_view block, const Secret* password);
Result<std::string> plain_key_of_der(std::string_view der, const Secret* password);

// "ECDSA P-256", "RSA 3072"; empty if `pem` is no private key.
std::string describe_key(const std::string& pem);

}  // namespace certrebind
