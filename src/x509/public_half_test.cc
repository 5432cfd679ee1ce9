#include "x509/public_half.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

PemBlock first_key_in(const std::string& pem) {
  for (const PemBlock& block : pem_blocks(pem))
    if (block.is_private_key()) return block;
  return {};
}

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                             reinterpret_cast<const unsigned char*>(bytes.data()),
                             static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

// The check that a server makes with OpenSSL.
bool is_key_of(const std::string& key_der, const std::string& leaf) {
  auto at = reinterpret_cast<const unsigned char*>(key_der.data());
  KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key_der.size())));
  X509Ptr x509 = x509_of(leaf);
  bool is_its = key && X509_check_private_key(x509.get(), key.get()) == 1;
  ERR_clear_error();
  return is_its;
}

TEST(PublicHalf, OfTheUsualKeysIsFoundInBothForms) {
  TestAuthority ca;
  for (TestKey kind : {TestKey::p256, TestKey::p384, TestKey::rsa2048}) {
    TestCertificate made = ca.issue({.key = kind});
    std::string traditional = traditional_key_pem(made.key_pem);
    EXPECT_TRUE(carries_public_key_of(first_key_in(made.key_pem), made.der));
    EXPECT_TRUE(carries_public_key_of(first_key_in(traditional), made.der));
  }
}

TEST(PublicHalf, OfAnotherIsNotTakenForIt) {
  TestAuthority ca;
  for (TestKey kind : {TestKey::p256, TestKey::p384, TestKey::rsa2048, TestKey::ed25519}) {
    TestCertificate made = ca.issue({.key = kind});
    for (TestKey other : {TestKey::p256, TestKey::p384, TestKey::rsa2048_other, TestKey::ed25519}) {
      std::string pem = make_key_pem(other);
      EXPECT_FALSE(carries_public_key_of(first_key_in(pem), made.der));
    }
  }
}

TEST(PublicHalf, WhatCarriesNoneIsLeftToOpenssl) {
  TestCertificate made = TestAuthority().issue({.key = TestKey::ed25519});
  EXPECT_FALSE(carries_public_key_of(first_key_in(made.key_pem), made.der));
  EXPECT_FALSE(carries_public_key_of(first_key_in(made.key_pem), "no certificate"));
  EXPECT_FALSE(carries_public_key_of({}, made.der));
}

// Changes or cuts off every byte. An incomplete key must never match. The result must never differ
// from OpenSSL's, except for the secret, which no server checks.
TEST(PublicHalf, ADamagedKeyIsNotSaidToMatchUnlessOpensslReadsIt) {
  TestAuthority ca;
  for (TestKey kind : {TestKey::p256, TestKey::rsa2048}) {
    TestCertificate made = ca.issue({.key = kind});
    for (const std::string& pem : {made.key_pem, traditional_key_pem(made.key_pem)}) {
      PemBlock block = first_key_in(pem);
      std::string der = *pem_decode(block);
      for (size_t at = 0; at < der.size(); ++at)
        for (bool cut : {false, true}) {
          std::string damaged = cut ? der.substr(0, at) : der;
          if (!cut) damaged[at] = static_cast<char>(damaged[at] ^ 1);
          std::string body = base64(damaged);
          if (!carries_public_key_of({block.label, {}, body}, made.der)) continue;
          EXPECT_TRUE(is_key_of(damaged, made.der)) << (cut ? "cut at " : "changed at ") << at;
        }
    }
  }
}

}  // namespace
}  // namespace certrebind
