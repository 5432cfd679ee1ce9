// A server's certificate with its chain and key, out of what a CA or another server hands out: PEM
// in any order, DER, PKCS #7 or PKCS #12.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "x509/bundle.h"

namespace certrebind {

struct Credentials {
  Bundle bundle;        // the leaf, then the chain by its signatures, without the root
  std::string key_pem;  // PKCS #8 without encryption; empty: none was given
  bool has_root = false;
  size_t unrelated = 0;  // certificates that do not belong to the chain, and are left out

  std::string fullchain_pem() const { return bundle.certificates_pem(); }
  std::string chain_pem() const;
};

// `key_file`: the key, if it is in a file of its own; else empty. `password`: null if none was
// given. A key that belongs to no certificate is returned all the same: who uses it checks that.
Result<Credentials> read_credentials(std::string_view file, std::string_view key_file,
                                     const Secret* password);

}  // namespace certrebind
