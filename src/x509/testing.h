// For tests only: a temporary certificate authority. Keys are generated at run time and stay in
// memory; the repository contains none. Failures abort, because a test needs its certificate.
//
//   TestAuthority ca;                                         // "Test Root", P-256
//   TestCertificate old = ca.issue({.names = {"a.test"}});
//   TestCertificate renewed = ca.issue({.names = {"a.test"}, .key_pem = old.key_pem});
//   TestAuthority intermediate = ca.intermediate("Test Intermediate");
//   TestCertificate rsa = intermediate.issue({.names = {"a.test"}, .key = TestKey::rsa2048});
//   write(path, rsa.chain_pem);                               // leaf, then intermediate
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/time.h"
#include "x509/thumbprint.h"

namespace certrebind {

// RSA keys take a while to generate. One key of each RSA kind is generated per process and reused,
// so two RSA certificates share a key. `rsa2048_other` is a second key, for mismatches. All other
// kinds are generated afresh.
enum class TestKey { p256, p384, ed25519, rsa2048, rsa2048_other, rsa3072, rsa_pss };

// The certificate to issue. The defaults make an ordinary server certificate.
struct TestRequest {
  std::vector<std::string> names = {"example.test"};  // subjectAltName; IP addresses are recognised
  std::string common_name = {};                       // of the subject; empty: the first name
  bool subject_alt_name = true;                       // false: `names` only serve as CN
  TestKey key = TestKey::p256;                        // the kind of key to make
  std::string key_pem = {};                           // not empty: use this key instead
  WallTime not_before = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  WallTime not_after = std::chrono::sys_days(std::chrono::year(2049) / 1 / 1);
  std::string extended_key_usage =
      "serverAuth";            // OpenSSL's names, separated by commas; empty: none
  std::string key_usage = {};  // same format; empty: none
  bool ca = false;             // basicConstraints CA:TRUE
  bool must_staple = false;    // RFC 7633
  std::string serial = {};     // hex, "-" for negative; empty: 64 random bits
  int string_type = 0;         // ASN.1 type of the CN (V_ASN1_BMPSTRING…); 0: UTF8String
};

struct TestCertificate {
  std::string pem;        // the certificate
  std::string der;        // the same in DER
  std::string key_pem;    // its key, PKCS #8
  std::string chain_pem;  // `pem` and the intermediates below the root
  std::string root_pem;   // the root of the chain
  Thumbprint thumbprint;

  // chain_pem, then the key, as HAProxy and others read it.
  std::string combined() const { return chain_pem + key_pem; }
};

class TestAuthority {
 public:
  // A self-signed root.
  explicit TestAuthority(std::string name = "Test Root", TestKey key = TestKey::p256);

  TestCertificate issue(const TestRequest& request = {}) const;
  // An intermediate CA below this one. The chain_pem of its certificates contains the intermediate.
  TestAuthority intermediate(std::string name) const;
  // This authority's own certificate.
  const TestCertificate& certificate() const { return own_; }

 private:
  TestAuthority(std::string name, TestCertificate own) : name_(std::move(name)), own_(own) {}

  std::string name_;
  TestCertificate own_;
};

// A self-signed certificate, as `openssl req -x509` makes it.
TestCertificate self_signed(const TestRequest& request = {});

// A private key in PKCS #8, as PEM.
std::string make_key_pem(TestKey kind = TestKey::p256);
// The same key, encrypted with a passphrase: in PKCS #8, or in the older form with a Proc-Type
// header.
std::string encrypted_key_pem(const std::string& key_pem, bool traditional = false);
// The same key in the older form of its type: "EC PRIVATE KEY", "RSA PRIVATE KEY".
std::string traditional_key_pem(const std::string& key_pem);
// A P-256 key with the public half of `shown` and the private half of `signing`. OpenSSL compares
// public halves only, so a server can start with it.
std::string forged_key_pem(const std::string& shown, const std::string& signing);

}  // namespace certrebind
