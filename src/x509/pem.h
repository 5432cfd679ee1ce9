// Finds the PEM blocks in a file (RFC 7468) without copying. Text between blocks is allowed and
// skipped, as servers do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace certrebind {

struct PemBlock {
  std::string_view label;  // "CERTIFICATE", "PRIVATE KEY", "EC PRIVATE KEY", "DH PARAMETERS", …
  std::string_view
      whole;  // from "-----BEGIN" to the end of the "-----END" line; a view into the given text
  std::string_view body;  // between the two boundary lines

  bool is_certificate() const;  // CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE
  bool is_private_key() const;  // any label that ends in PRIVATE KEY
  // ENCRYPTED PRIVATE KEY, or a "Proc-Type: 4,ENCRYPTED" header (RFC 1421).
  bool is_encrypted() const;
};

// The blocks in order. The list ends at a BEGIN that has no END with the same label.
std::vector<PemBlock> pem_blocks(std::string_view text);

// The first certificate block. Reads no further, because a thumbprint needs no more.
std::optional<PemBlock> first_certificate_block(std::string_view text);

// The decoded base64 body; an error if it is not base64. For a certificate block returns the
// certificate alone: trust settings and trailing junk are dropped, as servers do.
Result<std::string> pem_decode(const PemBlock& block);

// DER as a PEM CERTIFICATE block, 64 columns, with a final newline.
std::string pem_encode_certificate(std::string_view der);

}  // namespace certrebind
