#include "x509/testing.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "sys/ip_text.h"
#include "x509/openssl.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

void require(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "x509/testing: cannot %s: %s\n", what, take_openssl_reason().c_str());
  std::abort();
}

std::string key_to_pem(EVP_PKEY* key) {
  BioPtr out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write a key");
  return text_of(out.get());
}

KeyPtr key_from_pem(const std::string& pem) {
  BioPtr in = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  require(key != nullptr, "read a key");
  return key;
}

KeyPtr make_rsa_pss_key() {
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, nullptr));
  EVP_PKEY* key = nullptr;
  require(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_generate(context.get(), &key) == 1,
          "make an RSA-PSS key");
  return KeyPtr(key);
}

KeyPtr make_key(TestKey kind) {
  switch (kind) {
    case TestKey::p256:
      return KeyPtr(EVP_EC_gen("P-256"));
    case TestKey::p384:
      return KeyPtr(EVP_EC_gen("P-384"));
    case TestKey::ed25519:
      return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case TestKey::rsa3072:
      return KeyPtr(EVP_RSA_gen(3072));
    case TestKey::rsa_pss:
      return make_rsa_pss_key();
    default:
      return KeyPtr(EVP_RSA_gen(2048));
  }
}

template <TestKey kind>
const std::string& kept_key() {
  static const std::string pem = key_to_pem(make_key(kind).get());
  return pem;
}

void set_time(ASN1_TIME* field, WallTime time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  require(ASN1_TIME_adj(field, static_cast<time_t>(seconds), 0, 0) != nullptr, "set a time");
}

void set_serial(X509* x509, const std::string& hex) {
  BIGNUM* number = BN_new();
  if (hex.empty()) {
    BN_rand(number, 63, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
  } else {
    BN_hex2bn(&number, hex.c_str());
  }
  require(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != nullptr, "set a serial");
  BN_free(number);
}

// A Name with one CN of the given ASN.1 string type.
OpensslPtr<X509_NAME, X509_NAME_free> name_of(const std::string& common_name, int string_type) {
  OpensslPtr<X509_NAME, X509_NAME_free> name(X509_NAME_new());
  ASN1_STRING* value = nullptr;
  int wanted = string_type == 0 ? V_ASN1_UTF8STRING : string_type;
  int made =
      ASN1_mbstring_copy(&value, reinterpret_cast<const unsigned char*>(common_name.data()),
                         static_cast<int>(common_name.size()), MBSTRING_UTF8, ASN1_tag2bit(wanted));
  require(made == wanted, "make a name of this string type");
  require(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, made, value->data, value->length,
                                     -1, 0) == 1,
          "set a name");
  ASN1_STRING_free(value);
  return name;
}

void add_extension(X509* x509, int nid, const std::string& value) {
  if (value.empty()) return;
  OpensslPtr<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  require(extension != nullptr && X509_add_ext(x509, extension.get(), -1) == 1, "add an extension");
}

std::string alternative_names(const TestRequest& request) {
  std::string value;
  if (!request.subject_alt_name) return value;
  for (const std::string& name : request.names) {
    if (!value.empty()) value += ',';
    value += (looks_like_ip(name) ? "IP:" : "DNS:") + name;
  }
  return value;
}

void add_extensions(X509* x509, const TestRequest& request) {
  add_extension(x509, NID_basic_constraints, request.ca ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(x509, NID_subject_alt_name, alternative_names(request));
  add_extension(x509, NID_ext_key_usage, request.extended_key_usage);
  add_extension(x509, NID_key_usage, request.key_usage);
  add_extension(x509, NID_tlsfeature, request.must_staple ? "status_request" : "");
}

// Ed25519 takes no separate digest.
const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

// Issues `request` under the name and key of `issuer_name`, `issuer_key_pem`. Self-signed if these
// are empty.
TestCertificate make(const TestRequest& request, const std::string& issuer_name,
                     const std::string& issuer_key_pem) {
  TestCertificate made;
  made.key_pem = request.key_pem.empty() ? make_key_pem(request.key) : request.key_pem;
  KeyPtr key = key_from_pem(made.key_pem);
  KeyPtr issuer_key = key_from_pem(issuer_key_pem.empty() ? made.key_pem : issuer_key_pem);
  X509Ptr x509(X509_new());
  std::string subject = !request.common_name.empty() ? request.common_name
                        : request.names.empty()      ? "nameless"
                                                     : request.names.front();
  X509_set_version(x509.get(), X509_VERSION_3);
  set_serial(x509.get(), request.serial);
  X509_set_subject_name(x509.get(), name_of(subject, request.string_type).get());
  bool self = issuer_name.empty();
  X509_set_issuer_name(x509.get(),
                       name_of(self ? subject : issuer_name, self ? request.string_type : 0).get());
  set_time(X509_getm_notBefore(x509.get()), request.not_before);
  set_time(X509_getm_notAfter(x509.get()), request.not_after);
  X509_set_pubkey(x509.get(), key.get());
  add_extensions(x509.get(), request);
  require(X509_sign(x509.get(), issuer_key.get(), digest_for(issuer_key.get())) > 0, "sign");
  unsigned char* der = nullptr;
  int size = i2d_X509(x509.get(), &der);
  require(size > 0, "encode");
  made.der.assign(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  made.pem = made.chain_pem = pem_encode_certificate(made.der);
  made.thumbprint = Thumbprint::of_der(made.der);
  return made;
}

TestRequest authority_request(const std::string& name, TestKey key) {
  TestRequest request{.names = {}, .common_name = name, .subject_alt_name = false, .key = key};
  request.extended_key_usage.clear();
  request.key_usage = "critical,keyCertSign,cRLSign";
  request.ca = true;
  return request;
}

}  // namespace

TestAuthority::TestAuthority(std::string name, TestKey key)
    : name_(std::move(name)), own_(self_signed(authority_request(name_, key))) {
  own_.chain_pem.clear();  // servers do not send the root
}

TestCertificate TestAuthority::issue(const TestRequest& request) const {
  TestCertificate made = make(request, name_, own_.key_pem);
  made.chain_pem += own_.chain_pem;
  made.root_pem = own_.root_pem;
  return made;
}

TestAuthority TestAuthority::intermediate(std::string name) const {
  TestCertificate own = issue(authority_request(name, TestKey::p256));
  return TestAuthority(std::move(name), std::move(own));
}

TestCertificate self_signed(const TestRequest& request) {
  TestCertificate made = make(request, {}, {});
  made.root_pem = made.pem;
  return made;
}

std::string make_key_pem(TestKey kind) {
  switch (kind) {
    case TestKey::rsa2048:
      return kept_key<TestKey::rsa2048>();
    case TestKey::rsa2048_other:
      return kept_key<TestKey::rsa2048_other>();
    case TestKey::rsa3072:
      return kept_key<TestKey::rsa3072>();
    case TestKey::rsa_pss:
      return kept_key<TestKey::rsa_pss>();
    default:
      return key_to_pem(make_key(kind).get());
  }
}

std::string encrypted_key_pem(const std::string& key_pem, bool traditional) {
  static constexpr std::array<unsigned char, 6> kPassphrase = {'s', 'e', 'c', 'r', 'e', 't'};
  KeyPtr key = key_from_pem(key_pem);
  BioPtr out(BIO_new(BIO_s_mem()));
  auto write = traditional ? PEM_write_bio_PrivateKey_traditional : PEM_write_bio_PrivateKey;
  int size = static_cast<int>(kPassphrase.size());
  require(write(out.get(), key.get(), EVP_aes_128_cbc(), kPassphrase.data(), size, nullptr,
                nullptr) == 1,
          "encrypt a key");
  return text_of(out.get());
}

std::string traditional_key_pem(const std::string& key_pem) {
  KeyPtr key = key_from_pem(key_pem);
  BioPtr out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey_traditional(out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                               nullptr) == 1,
          "write a key");
  return text_of(out.get());
}

std::string forged_key_pem(const std::string& shown, const std::string& signing) {
  unsigned char point[65];
  size_t size = 0;
  EVP_PKEY_get_octet_string_param(key_from_pem(shown).get(), OSSL_PKEY_PARAM_PUB_KEY, point,
                                  sizeof point, &size);
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key_from_pem(signing).get(), OSSL_PKEY_PARAM_PRIV_KEY, &number);
  OpensslPtr<BIGNUM, BN_clear_free> secret(number);
  OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point, size);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  OpensslPtr<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  require(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1,
          "join the halves of two keys");
  return key_to_pem(KeyPtr(key).get());
}

}  // namespace certrebind
