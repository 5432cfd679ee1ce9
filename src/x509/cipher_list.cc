#include "x509/cipher_list.h"

#include <openssl/ssl.h>

#include <map>
#include <mutex>

#include "x509/openssl.h"

namespace certrebind {

namespace {

struct Suits {
  bool rsa = true;
  bool ecdsa = true;  // includes EdDSA (RFC 8422, section 2.2)
};

Suits look_at(const std::string& ciphers) {
  OpensslPtr<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_method()));
  if (!context) return {};
  SSL_CTX_set_security_level(context.get(), 0);
  if (SSL_CTX_set_cipher_list(context.get(), ciphers.c_str()) != 1) {
    ERR_clear_error();
    return {};
  }
  Suits suits{.rsa = false, .ecdsa = false};
  const STACK_OF(SSL_CIPHER)* list = SSL_CTX_get_ciphers(context.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
    const int authentication = SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(list, i));
    suits.rsa = suits.rsa || authentication == NID_auth_rsa;
    suits.ecdsa = suits.ecdsa || authentication == NID_auth_ecdsa;
  }
  return suits;
}

}  // namespace

// Cached, because thousands of sites share one list.
bool has_suite_for(const std::string& ciphers, KeyType type) {
  if (ciphers.empty() || type == KeyType::other) return true;
  static std::mutex lock;
  static std::map<std::string, Suits> known;
  std::lock_guard locked(lock);
  auto [entry, is_new] = known.try_emplace(ciphers);
  if (is_new) entry->second = look_at(ciphers);
  return type == KeyType::rsa ? entry->second.rsa : entry->second.ecdsa;
}

}  // namespace certrebind
