#include "x509/private_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>

#include "x509/derivation_cost.h"
#include "x509/key_form.h"
#include "x509/number_size.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

constexpr const char* kNeedsPassword = "the key is encrypted";
constexpr const char* kPasswordHint = "--password-from FILE";

std::unexpected<Error> no_key(std::string cause, std::string hint = {}) {
  return fail(Code::failed, "read", "the private key", std::move(cause), std::move(hint));
}

std::unexpected<Error> wrong_password(const std::string& reason) {
  return no_key("the password is wrong, or the key is damaged: " + reason);
}

// Gives OpenSSL the password. Without one, -1: OpenSSL would else ask on the terminal.
int give_password(char* into, int size, int, void* given) {
  const auto* password = static_cast<const Secret*>(given);
  if (password == nullptr || password->text().size() > static_cast<size_t>(size)) return -1;
  std::memcpy(into, password->text().data(), password->text().size());
  return static_cast<int>(password->text().size());
}

const char* curve_of(int bits) {
  switch (bits) {
    case 256:
      return "P-256";
    case 384:
      return "P-384";
    case 521:
      return "P-521";
  }
  return nullptr;
}

using KeyInformation = OpensslPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using SignaturePtr = OpensslPtr<X509_SIG, X509_SIG_free>;

SignaturePtr encrypted_key_of(std::string_view der) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  SignaturePtr encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return encrypted;
}

// The DER in the block, which is decrypted if it has headers that say so, as old ones have.
Result<std::string> der_of(const PemBlock& block, const Secret* password) {
  BioPtr in = reader_of(block.whole);
  unsigned char* bytes = nullptr;
  long size = 0;
  // OpenSSL takes the password as data it may write to; it does not.
  void* given = const_cast<Secret*>(password);
  if (PEM_bytes_read_bio(&bytes, &size, nullptr, PEM_STRING_EVP_PKEY, in.get(), give_password,
                         given) != 1)
    return no_key(take_openssl_reason());
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_clear_free(bytes, static_cast<size_t>(size));
  return der;
}

Result<std::string> decrypted(const X509_SIG* encrypted, const Secret& password) {
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(encrypted, &algorithm, nullptr);
  if (Done cheap = check_derivation_cost(algorithm); !cheap) return pass(cheap);
  KeyInformation info(
      PKCS8_decrypt(encrypted, password.text().data(), static_cast<int>(password.text().size())));
  unsigned char* bytes = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &bytes) : -1;
  if (size <= 0) return wrong_password(take_openssl_reason());
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_clear_free(bytes, static_cast<size_t>(size));
  return der;
}

// Reading a key computes with it already.
Result<std::string> pem_of_plain(std::string_view der) {
  if (Done small = check_number_sizes(der); !small) return pass(small);
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  const std::string reason = take_openssl_reason();
  if (!key) return no_key(reason);
  return pem_of_key(key.get());
}

}  // namespace

Result<std::string> pem_of_key(EVP_PKEY* key) {
  BioPtr out(BIO_new(BIO_s_mem()));
  if (!out ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return no_key(take_openssl_reason());
  return text_of(out.get());
}

KeyPtr key_of_pem(const std::string& pem) {
  BioPtr in = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, give_password, nullptr));
  ERR_clear_error();
  return key;
}

Result<std::string> make_private_key(KeyType type, int bits) {
  KeyPtr key;
  if (type == KeyType::rsa) {
    if (bits == 0) bits = 3072;
    if (bits < 2048 || bits > 8192)
      return fail(Code::usage, "make", "an RSA key", "it has 2048 to 8192 bits", "--bits 3072");
    key.reset(EVP_RSA_gen(static_cast<unsigned int>(bits)));
  } else {
    const char* curve = curve_of(bits == 0 ? 256 : bits);
    if (curve == nullptr)
      return fail(Code::usage, "make", "an EC key", "it has 256, 384 or 521 bits", "--bits 256");
    key.reset(EVP_EC_gen(curve));
  }
  if (!key) return fail(Code::failed, "make", "a private key", take_openssl_reason());
  return pem_of_key(key.get());
}

Result<std::string> plain_key_of_pem(std::string_view block, const Secret* password) {
  auto blocks = pem_blocks(block);
  if (blocks.empty() || !blocks.front().is_private_key()) return no_key("there is none");
  const bool encrypted = blocks.front().is_encrypted();
  if (encrypted && password == nullptr) return no_key(kNeedsPassword, kPasswordHint);
  auto der = der_of(blocks.front(), password);
  if (!der && encrypted) return wrong_password(der.error().cause);
  return der ? plain_key_of_der(*der, password) : der;
}

Result<std::string> plain_key_of_der(std::string_view der, const Secret* password) {
  SignaturePtr encrypted = encrypted_key_of(der);
  if (!encrypted) return pem_of_plain(der);
  if (password == nullptr) return no_key(kNeedsPassword, kPasswordHint);
  auto plain = decrypted(encrypted.get(), *password);
  return plain ? pem_of_plain(*plain) : plain;
}

std::string describe_key(const std::string& pem) {
  KeyPtr key = key_of_pem(pem);
  if (!key) return "";
  if (EVP_PKEY_is_a(key.get(), "EC") == 1)
    return fmt::format("ECDSA P-{}", EVP_PKEY_get_bits(key.get()));
  return fmt::format("{} {}", EVP_PKEY_get0_type_name(key.get()), EVP_PKEY_get_bits(key.get()));
}

}  // namespace certrebind
