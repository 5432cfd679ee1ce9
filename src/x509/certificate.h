// One X.509 certificate (RFC 5280). No I/O, no clock.
//
// There are two depths. `Certificate::outline` reads the DER itself in about a microsecond and
// extracts what tables show. `Certificate::parse` uses OpenSSL (some 90 µs); use it for single
// certificates and for plans.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "x509/thumbprint.h"

namespace certrebind {

enum class KeyType { rsa, ecdsa, ed25519, ed448, other };
// "RSA 2048", "ECDSA P-256"-style names are built from these.
std::string to_text(KeyType type);

// The properties of a certificate that tables show.
struct CertificateOutline {
  Thumbprint thumbprint;
  std::string serial;                 // lower-case hex
  std::string subject;                // the CN, otherwise the last relative name, otherwise empty
  std::string issuer;                 // the same of the issuer
  std::vector<std::string> names;     // subjectAltName DNS names in lower case and IP addresses as
                                      // text; without subjectAltName, the subject's CN
  std::string common_name;            // the subject's last CN in lower case, like a host name
  KeyType key_type = KeyType::other;  // by the algorithm; the key's quality is not checked
  WallTime not_before;
  WallTime not_after;
  bool self_issued = false;  // subject and issuer are equal byte for byte
};

// All properties that preflight checks.
struct Certificate {
  CertificateOutline outline;
  std::string der;
  KeyType key_type = KeyType::other;
  int key_bits = 0;
  std::string curve;         // of an ECDSA key: "P-256", "secp256k1"
  int security_bits = 0;     // strength as defined by NIST SP 800-57, from OpenSSL
  std::string subject_line;  // RFC 2253 one-line names, for `show`
  std::string issuer_line;
  std::string signature_algorithm;  // "ecdsa-with-SHA256"
  bool is_ca = false;               // basicConstraints CA:TRUE
  // True if key usage and extended key usage allow a TLS server (client), as OpenSSL's clients
  // judge. Without these extensions they allow it; anyExtendedKeyUsage alone is not enough.
  bool server_auth = true;
  bool client_auth = true;
  std::vector<std::string> extended_key_usages;  // names; empty without the extension
  bool must_staple = false;                      // TLS feature status_request (RFC 7633)

  // "RSA 2048", "ECDSA P-256", "Ed25519".
  std::string key_text() const;

  // Code::failed with OpenSSL's reason if `der` is not a certificate.
  static Result<Certificate> parse(std::string_view der);

  // True if `parent`'s key signed this certificate. Checks name and signature, not validity.
  bool is_signed_by(const Certificate& parent) const;
  bool is_self_signed() const { return outline.self_issued && is_signed_by(*this); }
};

// The fast parser. Code::failed if the DER does not have the structure of a certificate, or has
// trailing bytes.
Result<CertificateOutline> outline_of(std::string_view der);

// The content of SubjectPublicKeyInfo, as a view into `der`. Uses the same parser.
std::optional<std::string_view> public_key_info_of(std::string_view der);

}  // namespace certrebind
