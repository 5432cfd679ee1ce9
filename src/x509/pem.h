// PEM blocks in a file (RFC 7468), found without copying. Text between blocks is allowed and
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
      whole;  // from "-----BEGIN" to the end of the "-----END" line, into the text given
  std::string_view body;  // between the two boundary lines

  bool is_certificate() const;  // CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE
  bool is_private_key() const;  // any label that ends in PRIVATE KEY
  // ENCRYPTED PRIVATE KEY, or a "Proc-Type: 4,ENCRYPTED" header (RFC 1421).
  bool is_encrypted() const;
};

// The blocks in order. A BEGIN without its END, or with another label, ends the list there.
std::vector<PemBlock> pem_blocks(std::string_view text);

// The first certificate block, without looking further: what a thumbprint needs.
std::optional<PemBlock> first_certificate_block(std::string_view text);

// The base64 body as bytes; an error for anything that is not base64. Of a certificate block the
// certificate alone: trust settings and junk behind it are left off, as servers do.
Result<std::string> pem_decode(const PemBlock& block);

// DER as a PEM CERTIFICATE block, 64 columns, with a final newline.
std::string pem_encode_certificate(std::string_view der);

}  // namespace certrebind
