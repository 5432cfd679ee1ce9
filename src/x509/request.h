// Certificate signing requests (PKCS #10, RFC 2986) and certificates that sign themselves, for a
// key that is made here.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "x509/certificate.h"

namespace certrebind {

// What a certificate is asked for.
struct WantedCertificate {
  std::vector<std::string> names;  // DNS names and IP addresses, at least one
  std::string subject = {};        // "O=Example,C=DE": a comma in a value is written "\,"
  KeyType key_type = KeyType::ecdsa;
  int key_bits = 0;  // 0: the usual number
};

// Code::usage for a name that is no host name (RFC 1123), wildcard or IP address.
Done check_wanted(const WantedCertificate& wanted);

struct NewRequest {
  std::string key_pem;
  std::string csr_pem;
};
Result<NewRequest> make_request(const WantedCertificate& wanted);

struct SelfSigned {
  std::string key_pem;
  std::string certificate_pem;
};
// For a TLS server, and no CA (RFC 5280). It is valid from `begin` to `end`.
Result<SelfSigned> make_self_signed(const WantedCertificate& wanted, WallTime begin, WallTime end);

// The names in a CSR; empty if it cannot be read.
std::vector<std::string> names_in_request(const std::string& csr_pem);

}  // namespace certrebind
