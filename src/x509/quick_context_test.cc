#include "x509/quick_context.h"

#include <gtest/gtest.h>

#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

TEST(QuickContext, IsMade) {
  EXPECT_NE(quick_context(), nullptr);
}

// What it reads is what OpenSSL's own context reads, for every kind of key.
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

}  // namespace
}  // namespace certrebind
