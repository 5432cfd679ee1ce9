// PKCS #12 (RFC 7292), also called PFX: certificates and keys under a password.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "x509/bundle.h"

namespace certrebind {

struct Pkcs12Content {
  std::vector<std::string> certificates;  // DER, in the order of the file
  std::vector<std::string> keys;          // PKCS #8 in PEM
};

// True if `der` has the outer form of a PKCS #12 file.
bool is_pkcs12(std::string_view der);

// `password`: null if none was given; then an empty one is tried. Also reads the old ciphers of
// Windows (RC2, 3DES), if OpenSSL's legacy provider is installed.
Result<Pkcs12Content> read_pkcs12(std::string_view der, const Secret* password);

// `bundle` and, unless it is empty, its key: AES-256 with PBKDF2 and a MAC with SHA-256, as OpenSSL
// 3, Windows since 2019 and current browsers read it.
Result<std::string> write_pkcs12(const Bundle& bundle, const std::string& key_pem,
                                 const std::string& name, const Secret& password);

}  // namespace certrebind
