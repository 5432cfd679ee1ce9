#include "x509/certificate.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <array>

#include "x509/openssl.h"

namespace certrebind {

namespace {

std::string object_text(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 0);
  return text.data();
}

KeyType type_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return KeyType::rsa;
    case EVP_PKEY_EC:
      return KeyType::ecdsa;
    case EVP_PKEY_ED25519:
      return KeyType::ed25519;
    case EVP_PKEY_ED448:
      return KeyType::ed448;
    default:
      return KeyType::other;
  }
}

// "P-256" if NIST has a name for the curve, otherwise OpenSSL's name: "secp256k1".
std::string curve_of(const EVP_PKEY* key) {
  std::array<char, 80> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return {};
  const char* nist = EC_curve_nid2nist(OBJ_txt2nid(group.data()));
  return nist != nullptr ? nist : group.data();
}

void describe_key(const X509* x509, Certificate& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(x509);
  if (key == nullptr) return;  // an algorithm that this OpenSSL does not know
  certificate.key_type = type_of(key);
  certificate.key_bits = EVP_PKEY_get_bits(key);
  certificate.security_bits = EVP_PKEY_get_security_bits(key);
  if (certificate.key_type == KeyType::ecdsa) certificate.curve = curve_of(key);
}

// RFC 2253, but with readable UTF-8.
std::string one_line(const X509_NAME* name) {
  BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return text_of(out.get());
}

// A decoded extension of type T; null if missing or malformed.
template <class T>
T* extension_of(const X509* x509, int nid) {
  return static_cast<T*>(X509_get_ext_d2i(x509, nid, nullptr, nullptr));
}

std::vector<std::string> extended_key_usages_of(const X509* x509) {
  OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usages(
      extension_of<EXTENDED_KEY_USAGE>(x509, NID_ext_key_usage));
  std::vector<std::string> names;
  for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages.get()); ++i)
    names.push_back(object_text(sk_ASN1_OBJECT_value(usages.get(), i)));
  return names;
}

// RFC 7633: a list of TLS extension numbers; 5 is status_request.
bool must_staple_of(const X509* x509) {
  OpensslPtr<TLS_FEATURE, TLS_FEATURE_free> features(
      extension_of<TLS_FEATURE>(x509, NID_tlsfeature));
  for (int i = 0; features && i < sk_ASN1_INTEGER_num(features.get()); ++i)
    if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == 5) return true;
  return false;
}

bool is_ca_certificate(X509* x509) {
  return (X509_get_extension_flags(x509) & EXFLAG_CA) != 0;
}

}  // namespace

std::string to_text(KeyType type) {
  switch (type) {
    case KeyType::rsa:
      return "RSA";
    case KeyType::ecdsa:
      return "ECDSA";
    case KeyType::ed25519:
      return "Ed25519";
    case KeyType::ed448:
      return "Ed448";
    case KeyType::other:
      break;
  }
  return "other";
}

std::string Certificate::key_text() const {
  if (key_type == KeyType::rsa) return fmt::format("RSA {}", key_bits);
  if (key_type == KeyType::ecdsa && !curve.empty()) return "ECDSA " + curve;
  return to_text(key_type);
}

Result<Certificate> Certificate::parse(std::string_view der) {
  ERR_clear_error();
  X509Ptr x509 = x509_of(der);
  if (!x509) return fail(Code::failed, "read", "certificate", take_openssl_reason());
  auto outline = outline_of(der);
  if (!outline) return pass(outline);
  Certificate certificate;
  certificate.outline = *std::move(outline);
  certificate.der = der;
  describe_key(x509.get(), certificate);
  certificate.subject_line = one_line(X509_get_subject_name(x509.get()));
  certificate.issuer_line = one_line(X509_get_issuer_name(x509.get()));
  const X509_ALGOR* algorithm = X509_get0_tbs_sigalg(x509.get());
  const ASN1_OBJECT* algorithm_name = nullptr;
  X509_ALGOR_get0(&algorithm_name, nullptr, nullptr, algorithm);
  certificate.signature_algorithm = object_text(algorithm_name);
  certificate.is_ca = is_ca_certificate(x509.get());
  certificate.server_auth = X509_check_purpose(x509.get(), X509_PURPOSE_SSL_SERVER, 0) == 1;
  certificate.client_auth = X509_check_purpose(x509.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1;
  certificate.extended_key_usages = extended_key_usages_of(x509.get());
  certificate.must_staple = must_staple_of(x509.get());
  ERR_clear_error();
  return certificate;
}

bool Certificate::is_signed_by(const Certificate& parent) const {
  X509Ptr child = x509_of(der), issuer = x509_of(parent.der);
  bool named =
      child && issuer &&
      X509_NAME_cmp(X509_get_issuer_name(child.get()), X509_get_subject_name(issuer.get())) == 0;
  EVP_PKEY* key = named ? X509_get0_pubkey(issuer.get()) : nullptr;
  bool is_signed = key != nullptr && X509_verify(child.get(), key) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace certrebind
