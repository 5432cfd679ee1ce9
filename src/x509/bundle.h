// The content of one PEM file: leaf, chain and key, and their order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "x509/certificate.h"

namespace certrebind {

struct Bundle {
  Certificate leaf;                // the first certificate of the file, as servers read it
  std::vector<Certificate> chain;  // the others in file order
  bool has_key = false;            // the file also contains a private key block
  bool key_first = false;          // … before the leaf

  // Code::failed if there is no certificate, or if one cannot be parsed; the cause names the block.
  static Result<Bundle> parse(std::string_view pem);

  // True if the first certificate that is not a CA follows a CA, so the leaf is not first.
  bool leaf_not_first() const;
  // The number of chain certificates that connect by signature: leaf ← chain[0] ← chain[1] …
  size_t connected() const;
  // The last certificate that connects. It is the leaf if the chain is empty.
  const Certificate& top() const;
  // Leaf and chain, in file order.
  std::vector<Certificate> certificates() &&;
  // Leaf and chain as PEM, without the key.
  std::string certificates_pem() const;
};

// True if a chain from `bundle.top()` ends in a root that this machine trusts (OpenSSL's default
// directory). Ignores validity times.
bool ends_in_trusted_root(const Bundle& bundle);

// The text of the private key blocks in `pem`, unchanged, without EC PARAMETERS.
std::string private_key_blocks(std::string_view pem);

}  // namespace certrebind
