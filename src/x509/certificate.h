// One X.509 certificate (RFC 5280). No I/O, no clock.
//
// Two depths: `Certificate::outline` walks the DER itself in about a microsecond and knows what a
// table shows; `Certificate::parse` asks OpenSSL (some 90 µs) and is for what is shown alone or
// planned.
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

// What tables show of a certificate.
struct CertificateOutline {
  Thumbprint thumbprint;
  std::string serial;              // lower-case hex
  std::string subject;             // its CN, else its last relative name, else empty
  std::string issuer;              // the same of the issuer
  std::vector<std::string> names;  // subjectAltName DNS names in lower case and IP addresses as
                                   // text; where there is no subjectAltName, the subject's CN
  std::string common_name;         // the subject's last CN in lower case, as a host name would be
  KeyType key_type = KeyType::other;  // by its algorithm; whether it is a good key is not looked at
  WallTime not_before;
  WallTime not_after;
  bool self_issued = false;  // subject and issuer are equal byte for byte
};

// All that preflight asks.
struct Certificate {
  CertificateOutline outline;
  std::string der;
  KeyType key_type = KeyType::other;
  int key_bits = 0;
  std::string curve;         // of an ECDSA key: "P-256", "secp256k1"
  int security_bits = 0;     // strength in the sense of NIST SP 800-57, from OpenSSL
  std::string subject_line;  // RFC 2253 one-line names, for `show`
  std::string issuer_line;
  std::string signature_algorithm;  // "ecdsa-with-SHA256"
  bool is_ca = false;               // basicConstraints CA:TRUE
  // Key usage and extended key usage allow it to be a TLS server (client), as OpenSSL's clients
  // judge: without the extensions they do, and anyExtendedKeyUsage alone is not enough.
  bool server_auth = true;
  bool client_auth = true;
  std::vector<std::string> extended_key_usages;  // names, empty where there is no extension
  bool must_staple = false;                      // TLS feature status_request (RFC 7633)

  // "RSA 2048", "ECDSA P-256", "Ed25519".
  std::string key_text() const;

  // Code::failed with OpenSSL's reason for anything that is not a certificate.
  static Result<Certificate> parse(std::string_view der);

  // `parent`'s key signed this certificate (its name and its signature, not its validity).
  bool is_signed_by(const Certificate& parent) const;
  bool is_self_signed() const { return outline.self_issued && is_signed_by(*this); }
};

// The fast walk; Code::failed for DER that is not shaped like a certificate, or has bytes behind
// it.
Result<CertificateOutline> outline_of(std::string_view der);

// The content of its SubjectPublicKeyInfo, within the bytes given, by the same walk.
std::optional<std::string_view> public_key_info_of(std::string_view der);

}  // namespace certrebind
