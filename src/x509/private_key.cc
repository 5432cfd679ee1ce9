#include "x509/private_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>

#include "x509/derivation_cost.h"
#include "x509/key_form.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

constexpr const char* kNeedsPassword = "the key is encrypted";

std::unexpected<Error> no_key(std::string cause, std::string hint = {}) {
  return fail(Code::failed, "read", "the private key", std::move(cause), std::move(hint));
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

using SignaturePtr = OpensslPtr<X509_SIG, X509_SIG_free>;

SignaturePtr encrypted_key_of(std::string_view der) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  SignaturePtr encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return encrypted;
}

Done check_cost_of_key(std::string_view der) {
  SignaturePtr encrypted = encrypted_key_of(der);
  if (!encrypted) return {};
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(encrypted.get(), &algorithm, nullptr);
  return check_derivation_cost(algorithm);
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
  if (encrypted && password == nullptr) return no_key(kNeedsPassword, "--password-from FILE");
  if (encrypted)
    if (auto der = pem_decode(blocks.front()))
      if (Done cheap = check_cost_of_key(*der); !cheap) return pass(cheap);
  BioPtr in = reader_of(blocks.front().whole);
  // OpenSSL takes the password as data it may write to; it does not.
  void* given = const_cast<Secret*>(password);
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, give_password, given));
  const std::string reason = take_openssl_reason();
  if (!key)
    return encrypted ? no_key("the password is wrong, or the key is damaged: " + reason)
                     : no_key(reason);
  return pem_of_key(key.get());
}

Result<std::string> plain_key_of_der(std::string_view der, const Secret* password) {
  if (SignaturePtr encrypted = encrypted_key_of(der)) {
    BioPtr out(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_PKCS8(out.get(), encrypted.get()) == 1)
      return plain_key_of_pem(text_of(out.get()), password);
  }
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  const std::string reason = take_openssl_reason();
  if (!key) return no_key(reason);
  return pem_of_key(key.get());
}

std::string describe_key(const std::string& pem) {
  KeyPtr key = key_of_pem(pem);
  if (!key) return "";
  if (EVP_PKEY_is_a(key.get(), "EC") == 1)
    return fmt::format("ECDSA P-{}", EVP_PKEY_get_bits(key.get()));
  return fmt::format("{} {}", EVP_PKEY_get0_type_name(key.get()), EVP_PKEY_get_bits(key.get()));
}

}  // namespace certrebind
