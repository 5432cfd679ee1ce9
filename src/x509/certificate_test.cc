#include "x509/certificate.h"

#include <gtest/gtest.h>

#include "x509/testing.h"

namespace certrebind {
namespace {

Certificate parsed(const TestCertificate& made) {
  auto certificate = Certificate::parse(made.der);
  EXPECT_TRUE(certificate) << certificate.error().message();
  return *certificate;
}

TEST(Certificate, TellsKeys) {
  TestAuthority ca;
  struct Case {
    TestKey key;
    KeyType type;
    std::string text;
    int security_bits;
  };
  for (const Case& expected : {Case{TestKey::p256, KeyType::ecdsa, "ECDSA P-256", 128},
                               Case{TestKey::p384, KeyType::ecdsa, "ECDSA P-384", 192},
                               Case{TestKey::rsa2048, KeyType::rsa, "RSA 2048", 112},
                               Case{TestKey::rsa_pss, KeyType::rsa, "RSA 2048", 112},
                               Case{TestKey::ed25519, KeyType::ed25519, "Ed25519", 128}}) {
    Certificate certificate = parsed(ca.issue({.key = expected.key}));
    EXPECT_EQ(certificate.key_type, expected.type);
    EXPECT_EQ(certificate.outline.key_type, expected.type);
    EXPECT_EQ(certificate.key_text(), expected.text);
    EXPECT_EQ(certificate.security_bits, expected.security_bits);
  }
}

TEST(Certificate, TellsWhatItIsGoodFor) {
  TestAuthority ca;
  auto with_usage = [&](const char* usage) {
    return parsed(ca.issue({.extended_key_usage = usage}));
  };
  EXPECT_TRUE(with_usage("serverAuth").server_auth);
  EXPECT_FALSE(with_usage("serverAuth").client_auth);
  EXPECT_FALSE(with_usage("clientAuth").server_auth);
  EXPECT_TRUE(with_usage("serverAuth,clientAuth").client_auth);
  EXPECT_TRUE(with_usage("").server_auth);
  EXPECT_TRUE(with_usage("").extended_key_usages.empty());
  EXPECT_FALSE(with_usage("anyExtendedKeyUsage").server_auth);
  EXPECT_EQ(with_usage("clientAuth").extended_key_usages.front(), "TLS Web Client Authentication");
  EXPECT_FALSE(parsed(ca.issue({.key_usage = "keyCertSign"})).server_auth);
}

TEST(Certificate, TellsMustStapleAndAuthority) {
  TestAuthority ca;
  EXPECT_TRUE(parsed(ca.issue({.must_staple = true})).must_staple);
  EXPECT_FALSE(parsed(ca.issue()).must_staple);
  EXPECT_TRUE(parsed(ca.certificate()).is_ca);
  EXPECT_FALSE(parsed(ca.issue()).is_ca);
}

TEST(Certificate, TellsNamesAndAlgorithm) {
  Certificate certificate =
      parsed(TestAuthority("Wurzel Ä").issue({.names = {"a.test"}, .common_name = "a,b"}));
  EXPECT_EQ(certificate.subject_line, "CN=a\\,b");
  EXPECT_EQ(certificate.issuer_line, "CN=Wurzel Ä");
  EXPECT_EQ(certificate.signature_algorithm, "ecdsa-with-SHA256");
}

TEST(Certificate, KnowsWhoSignedIt) {
  TestAuthority ca, namesake, other("Other Root");
  Certificate leaf = parsed(ca.issue()), root = parsed(ca.certificate());
  EXPECT_TRUE(leaf.is_signed_by(root));
  EXPECT_FALSE(leaf.is_signed_by(parsed(namesake.certificate())));
  EXPECT_FALSE(leaf.is_signed_by(parsed(other.certificate())));
  EXPECT_FALSE(leaf.is_self_signed());
  EXPECT_TRUE(root.is_self_signed());
}

TEST(Certificate, RefusesWhatIsNone) {
  auto refused = Certificate::parse("hello");
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().cause.empty());
  EXPECT_FALSE(Certificate::parse(""));
  EXPECT_FALSE(Certificate::parse(TestAuthority().issue().der + "x"));
}

}  // namespace
}  // namespace certrebind
