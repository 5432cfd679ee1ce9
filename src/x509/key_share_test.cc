#include "x509/key_share.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "x509/openssl.h"
#include "x509/quick_context.h"

namespace certrebind {
namespace {

KeyPtr x25519_key(OSSL_LIB_CTX* library) {
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> generation(
      EVP_PKEY_CTX_new_from_name(library, "X25519", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(generation.get());
  EVP_PKEY_keygen(generation.get(), &key);
  return KeyPtr(key);
}

std::string public_half(EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  size_t size = EVP_PKEY_get1_encoded_public_key(key, &bytes);
  std::string text(reinterpret_cast<char*>(bytes), size);
  OPENSSL_free(bytes);
  return text;
}

std::string secret_of(EVP_PKEY* own, EVP_PKEY* peer) {
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> exchange(
      EVP_PKEY_CTX_new_from_pkey(quick_context(), own, nullptr));
  std::string secret(32, '\0');
  size_t size = secret.size();
  bool made =
      EVP_PKEY_derive_init(exchange.get()) == 1 &&
      EVP_PKEY_derive_set_peer(exchange.get(), peer) == 1 &&
      EVP_PKEY_derive(exchange.get(), reinterpret_cast<unsigned char*>(secret.data()), &size) == 1;
  return made ? secret : "";
}

std::set<std::string> public_halves(int count) {
  std::set<std::string> different;
  for (int i = 0; i < count; ++i) different.insert(public_half(x25519_key(quick_context()).get()));
  return different;
}

TEST(KeyShare, ServesSomeHundredHandshakesOfOneThread) {
  std::set<std::string> here, there;
  std::jthread([&] { here = public_halves(1000); }).join();
  std::jthread([&] { there = public_halves(1); }).join();
  EXPECT_EQ(here.size(), 4U);
  EXPECT_FALSE(here.contains(*there.begin()));
}

// Each copy is a whole key, and lives on when the next one is made.
TEST(KeyShare, CopiesAreWhole) {
  KeyPtr first = x25519_key(quick_context());
  public_halves(600);
  KeyPtr later = x25519_key(quick_context());
  EXPECT_NE(secret_of(first.get(), later.get()), "");
  EXPECT_EQ(secret_of(first.get(), later.get()), secret_of(later.get(), first.get()));
}

// What OpenSSL puts another's public key into is not given our private one.
TEST(KeyShare, ParametersAloneAreNoKey) {
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> generation(
      EVP_PKEY_CTX_new_from_name(quick_context(), "X25519", nullptr));
  EVP_PKEY* key = nullptr;
  ASSERT_EQ(EVP_PKEY_paramgen_init(generation.get()), 1);
  ASSERT_EQ(EVP_PKEY_paramgen(generation.get(), &key), 1);
  KeyPtr empty(key);
  EXPECT_EQ(secret_of(empty.get(), x25519_key(quick_context()).get()), "");
}

// Only the context of handshakes shares keys.
TEST(KeyShare, OthersGetKeysOfTheirOwn) {
  EXPECT_NE(public_half(x25519_key(nullptr).get()), public_half(x25519_key(nullptr).get()));
}

TEST(KeyShare, WhatCannotBeCopiedIsLeftAsItIs) {
  auto function = [] {};
  const OSSL_DISPATCH functions[] = {{OSSL_FUNC_KEYMGMT_GEN, function}, {0, nullptr}};
  EXPECT_EQ(sharing_keys(functions)[0].function, functions[0].function);
}

}  // namespace
}  // namespace certrebind
