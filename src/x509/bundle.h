// What one PEM file says about a certificate: leaf, chain, key, and in which order they stand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "x509/certificate.h"

namespace certrebind {

struct Bundle {
  Certificate leaf;                // the first certificate of the file, as servers take it
  std::vector<Certificate> chain;  // the others in file order
  bool has_key = false;            // a private key block stands in the same file
  bool key_first = false;          // … before the leaf

  // Code::failed if there is no certificate, or one does not parse; the cause says which block.
  static Result<Bundle> parse(std::string_view pem);

  // The first certificate that is not a CA stands behind a CA: the leaf is not first.
  bool leaf_not_first() const;
  // leaf ← chain[0] ← chain[1] …: the number of chain certificates that connect, by signature.
  size_t connected() const;
  // The last certificate that connects: the leaf itself where the chain is empty.
  const Certificate& top() const;
  // leaf and chain as PEM, nothing else.
  std::string certificates_pem() const;
};

// True if a chain from `bundle.top()` ends in a root that this machine trusts (OpenSSL's default
// directory). Time is not looked at.
bool ends_in_trusted_root(const Bundle& bundle);

// The text of the private key blocks (with EC PARAMETERS left out), as they stand in `pem`.
std::string private_key_blocks(std::string_view pem);

}  // namespace certrebind
