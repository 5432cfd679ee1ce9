#include "x509/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "x509/key.h"
#include "x509/key_form.h"
#include "x509/number_size.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"
#include "x509/private_key.h"
#include "x509/request.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

using testing::HasSubstr;

class CredentialsTest : public testing::Test {
 protected:
  void expect_whole(const Result<Credentials>& read) {
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->bundle.leaf.outline.thumbprint, leaf_.thumbprint);
    EXPECT_EQ(read->fullchain_pem(), leaf_.chain_pem);
    EXPECT_EQ(key_state(read->key_pem, read->bundle.leaf), KeyState::matches);
    EXPECT_TRUE(read->key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
  }

  TestAuthority root_;
  TestAuthority middle_ = root_.intermediate("Test Intermediate");
  TestCertificate leaf_ = middle_.issue({.names = {"a.test"}});
};

TEST_F(CredentialsTest, TheOrderInTheFileSaysNothing) {
  const std::string middle = middle_.certificate().pem;
  expect_whole(read_credentials(leaf_.root_pem + middle + leaf_.key_pem + leaf_.pem, "", nullptr));
  expect_whole(read_credentials(middle + leaf_.pem, leaf_.key_pem, nullptr));
  auto read = read_credentials(leaf_.root_pem + leaf_.chain_pem, leaf_.key_pem, nullptr);
  EXPECT_TRUE(read->has_root) << "and it is left out";
}

TEST_F(CredentialsTest, WhatDoesNotBelongToTheChainIsLeftOut) {
  TestAuthority other("Other Root");
  auto read = read_credentials(leaf_.chain_pem + other.certificate().pem, leaf_.key_pem, nullptr);
  expect_whole(read);
  EXPECT_EQ(read->unrelated, 1U);
}

TEST_F(CredentialsTest, NobodyHasThousandsOfNames) {
  std::vector<std::string> names;
  for (int i = 0; i < 2000; ++i) names.push_back("a" + std::to_string(i) + ".test");
  auto read = read_credentials(middle_.issue({.names = names}).combined(), "", nullptr);
  EXPECT_TRUE(read) << read.error().message();
  names.push_back("b.test");
  read = read_credentials(middle_.issue({.names = names}).combined(), "", nullptr);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().cause, HasSubstr("more than 2000 names"));
}

TEST_F(CredentialsTest, AnEncryptedKeyNeedsItsPassword) {
  for (bool traditional : {false, true}) {
    const std::string key = encrypted_key_pem(leaf_.key_pem, traditional);
    auto without = read_credentials(leaf_.chain_pem, key, nullptr);
    ASSERT_FALSE(without);
    EXPECT_THAT(without.error().hint, HasSubstr("--password-from"));
    const Secret wrong("wrong");
    EXPECT_FALSE(read_credentials(leaf_.chain_pem, key, &wrong));
  }
}

TEST_F(CredentialsTest, SeveralKeysWithTheirCertificatesAreRefused) {
  TestCertificate other = middle_.issue({.names = {"b.test"}});
  auto read = read_credentials(leaf_.combined() + other.combined(), "", nullptr);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().cause, HasSubstr("2 certificates with their keys"));
  expect_whole(read_credentials(leaf_.chain_pem + other.pem, leaf_.key_pem, nullptr));
}

TEST_F(CredentialsTest, AForeignKeyIsReturnedToBeRefused) {
  auto read = read_credentials(leaf_.chain_pem, make_key_pem(), nullptr);
  ASSERT_TRUE(read);
  EXPECT_EQ(key_state(read->key_pem, read->bundle.leaf), KeyState::of_another);
}

TEST_F(CredentialsTest, NoFileOfAnyKindIsAnError) {
  for (const char* text : {"", "x", "\x30\x80", "-----BEGIN CERTIFICATE-----",
                           "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"})
    EXPECT_FALSE(read_credentials(text, "", nullptr)) << text;
  EXPECT_FALSE(read_credentials(leaf_.key_pem, "", nullptr)) << "no certificate";
}

TEST_F(CredentialsTest, ManyCertificatesAreTooMany) {
  std::string text;
  for (int i = 0; i < 201; ++i) text += root_.issue().pem;
  auto read = read_credentials(text, "", nullptr);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().cause, HasSubstr("more than 200"));
}

TEST_F(CredentialsTest, Pkcs12GoesThereAndBack) {
  auto bundle = Bundle::parse(leaf_.chain_pem);
  for (const char* password : {"pässword", ""}) {
    const Secret secret(password);
    auto der = write_pkcs12(*bundle, leaf_.key_pem, "a.test", secret);
    ASSERT_TRUE(der) << der.error().message();
    expect_whole(read_credentials(*der, "", &secret));
  }
}

TEST_F(CredentialsTest, AWrongPasswordIsSaid) {
  auto der = write_pkcs12(*Bundle::parse(leaf_.chain_pem), leaf_.key_pem, "a", Secret("right"));
  const Secret wrong("wrong");
  auto read = read_credentials(*der, "", &wrong);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().cause, HasSubstr("password is wrong"));
  EXPECT_THAT(read_credentials(*der, "", nullptr).error().cause, HasSubstr("needs a password"));
}

// Each of its passwords is derived with 100,000 iterations: 02 03 01 86 A0.
TEST_F(CredentialsTest, ABillionIterationsAreRefusedAtOnce) {
  const Secret secret("x");
  auto der = write_pkcs12(*Bundle::parse(leaf_.chain_pem), leaf_.key_pem, "a", secret);
  const std::string usual("\x02\x03\x01\x86\xA0", 5);
  const size_t last = der->rfind(usual);
  ASSERT_NE(last, std::string::npos);
  der->replace(last, usual.size(), "\x02\x03\x7F\xFF\xFF", 5);  // of the MAC
  auto read = read_credentials(*der, "", &secret);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().cause, HasSubstr("iterations"));
}

// Each of them may cost what is allowed for one.
TEST_F(CredentialsTest, VeryManyEncryptedPartsAreRefused) {
  KeyPtr key = key_of_pem(leaf_.key_pem);
  STACK_OF(PKCS12_SAFEBAG)* bags = nullptr;
  for (int i = 0; i < 40; ++i) PKCS12_add_key(&bags, key.get(), 0, 1, NID_aes_256_cbc, "x");
  STACK_OF(PKCS7)* safes = nullptr;
  PKCS12_add_safe(&safes, bags, -1, 0, nullptr);
  OpensslPtr<PKCS12, PKCS12_free> file(PKCS12_add_safes(safes, 0));
  unsigned char* bytes = nullptr;
  const int size = i2d_PKCS12(file.get(), &bytes);
  ASSERT_GT(size, 0);
  const std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  sk_PKCS7_pop_free(safes, PKCS7_free);
  const Secret secret("x");
  auto read = read_credentials(der, "", &secret);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().cause, HasSubstr("too many encrypted parts"));
}

TEST_F(CredentialsTest, DamagedPkcs12NeverCrashes) {
  const Secret secret("x");
  auto der = write_pkcs12(*Bundle::parse(leaf_.chain_pem), leaf_.key_pem, "a", secret);
  for (size_t at = 0; at < 60; ++at) {
    std::string damaged = *der;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    (void)read_credentials(damaged, "", &secret);
    (void)read_credentials(der->substr(0, at * der->size() / 60), "", &secret);
  }
}

std::string der_element(unsigned char tag, const std::string& content) {
  const size_t size = content.size();
  return std::string{static_cast<char>(tag), '\x83', static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8), static_cast<char>(size)} +
         content;
}

std::string der_number(size_t bytes) {
  return der_element(0x02, std::string(bytes, '\x55'));
}

std::string pem_of_rsa(const std::string& der) {
  BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio(out.get(), "RSA PRIVATE KEY", "",
                reinterpret_cast<const unsigned char*>(der.data()), static_cast<long>(der.size()));
  return text_of(out.get());
}

// An RSA key whose modulus and private exponent have so many bytes.
std::string rsa_key(size_t modulus, size_t exponent) {
  std::string numbers("\x02\x01\x00", 3);
  for (size_t size : {modulus, size_t{3}, exponent, modulus, modulus, modulus, modulus, modulus})
    numbers += der_number(size);
  return der_element(0x30, numbers);
}

TEST_F(CredentialsTest, NoNumberOfAKeyIsTooLong) {
  auto leaf = Certificate::parse(leaf_.der);
  for (const auto& [modulus, exponent] : {std::pair(256, 256), {2048, 2048}})
    EXPECT_TRUE(plain_key_of_der(rsa_key(modulus, exponent), nullptr)) << modulus;
  for (const auto& [modulus, exponent] : {std::pair(2050, 256), {256, 260}, {256, 100000}}) {
    const std::string key = rsa_key(modulus, exponent), pem = pem_of_rsa(key);
    auto read = plain_key_of_der(key, nullptr);
    ASSERT_FALSE(read) << modulus;
    EXPECT_THAT(read.error().cause, HasSubstr("longer than any key"));
    EXPECT_FALSE(read_credentials(leaf_.pem, pem, nullptr));
    EXPECT_EQ(key_state(pem, *leaf), KeyState::unreadable);
    const std::string zero("\x02\x01\x00", 3);
    EXPECT_FALSE(check_number_sizes(der_element(0x30, zero + der_element(0x04, key))));
  }
}

TEST(RequestTest, ASelfSignedCertificateIsForAServer) {
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  for (KeyType type : {KeyType::ecdsa, KeyType::rsa}) {
    auto made = make_self_signed({.names = {"A.test", "*.a.test", "192.0.2.1", "2001:db8::1"},
                                  .subject = "O=Some\\, Inc",
                                  .key_type = type},
                                 now, now + std::chrono::days(30));
    ASSERT_TRUE(made) << made.error().message();
    auto read = read_credentials(made->certificate_pem, made->key_pem, nullptr);
    ASSERT_TRUE(read) << read.error().message();
    const Certificate& leaf = read->bundle.leaf;
    EXPECT_EQ(leaf.outline.names,
              (std::vector<std::string>{"a.test", "*.a.test", "192.0.2.1", "2001:db8::1"}));
    EXPECT_TRUE(leaf.server_auth && !leaf.is_ca && leaf.is_self_signed());
    EXPECT_EQ(leaf.key_text(), type == KeyType::rsa ? "RSA 3072" : "ECDSA P-256");
    EXPECT_EQ(describe_key(made->key_pem), leaf.key_text());
    EXPECT_EQ(leaf.outline.not_after, now + std::chrono::days(30));
    EXPECT_THAT(leaf.subject_line, HasSubstr("O=Some\\, Inc"));
  }
}

TEST(RequestTest, ARequestNamesWhatItAsksFor) {
  auto made = make_request({.names = {"a.test", "192.0.2.1"}});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(names_in_request(made->csr_pem), (std::vector<std::string>{"a.test", "192.0.2.1"}));
  EXPECT_TRUE(names_in_request("nonsense").empty());
}

TEST(RequestTest, WhatIsNoNameIsRefused) {
  for (const char* name : {"", "a b", "a..b", "-a", "a-", "*", "*.*.a", "a.*", "a/b", "\x1b", "ä"})
    EXPECT_FALSE(check_wanted({.names = {name}})) << name;
  for (const char* name :
       {"a", "a.test", "*.a.test", "::1", "127.0.0.1", "xn--4ca.test", "_dmarc.a"})
    EXPECT_TRUE(check_wanted({.names = {name}})) << name;
  EXPECT_FALSE(check_wanted({}));
}

TEST(RequestTest, ABadSubjectOrKeyIsAUsageError) {
  EXPECT_EQ(make_request({.names = {"a"}, .subject = "nonsense"}).error().code, Code::usage);
  EXPECT_EQ(make_request({.names = {"a"}, .subject = "C=Germany"}).error().code, Code::usage);
  EXPECT_EQ(make_request({.names = {"a"}, .key_bits = 512}).error().code, Code::usage);
  EXPECT_EQ(make_request({.names = {"a"}, .key_type = KeyType::rsa, .key_bits = 1024}).error().code,
            Code::usage);
}

}  // namespace
}  // namespace certrebind
