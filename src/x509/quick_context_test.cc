#include "x509/quick_context.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

TEST(QuickContext, IsMade) {
  EXPECT_NE(quick_context(), nullptr);
}

// Must read the same as OpenSSL's own context, for every key type.
TEST(QuickContext, ReadsTheSameKeys) {
  TestAuthority ca;
  for (TestKey kind :
       {TestKey::p256, TestKey::p384, TestKey::ed25519, TestKey::rsa2048, TestKey::rsa_pss}) {
    std::string der = ca.issue({.key = kind}).der;
    const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
    X509Ptr plain(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    X509Ptr quick = x509_of(der);
    EXPECT_EQ(EVP_PKEY_eq(X509_get0_pubkey(plain.get()), X509_get0_pubkey(quick.get())), 1);
    EXPECT_EQ(X509_cmp(plain.get(), quick.get()), 0);
  }
}

std::vector<std::string> ciphers_in(OSSL_LIB_CTX* library) {
  OpensslPtr<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new_ex(library, nullptr, TLS_client_method()));
  SSL_CTX_set_cipher_list(context.get(), "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
  std::vector<std::string> names;
  STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i)
    names.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)));
  return names;
}

// OpenSSL omits from the list every suite whose cipher or digest the library lacks.
TEST(QuickContext, OffersTheSameCiphers) {
  EXPECT_EQ(ciphers_in(quick_context()), ciphers_in(nullptr));
}

}  // namespace
}  // namespace certrebind
