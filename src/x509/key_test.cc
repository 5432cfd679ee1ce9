#include "x509/key.h"

#include <gtest/gtest.h>

#include "x509/testing.h"

namespace certrebind {
namespace {

Certificate leaf_of(const TestCertificate& made) {
  return *Certificate::parse(made.der);
}

TEST(KeyState, MatchesInEveryForm) {
  TestAuthority ca;
  for (TestKey kind :
       {TestKey::p256, TestKey::p384, TestKey::ed25519, TestKey::rsa2048, TestKey::rsa_pss}) {
    TestCertificate made = ca.issue({.key = kind});
    Certificate leaf = leaf_of(made);
    EXPECT_EQ(key_state(made.key_pem, leaf), KeyState::matches);
    EXPECT_EQ(key_state(made.combined(), leaf), KeyState::matches);
    EXPECT_EQ(key_state(make_key_pem(), leaf), KeyState::of_another);
    if (kind == TestKey::p256 || kind == TestKey::rsa2048) {
      EXPECT_EQ(key_state(traditional_key_pem(made.key_pem), leaf), KeyState::matches);
    }
  }
}

TEST(KeyState, OfAnotherOfTheSameKind) {
  TestAuthority ca;
  Certificate rsa = leaf_of(ca.issue({.key = TestKey::rsa2048}));
  EXPECT_EQ(key_state(make_key_pem(TestKey::rsa2048_other), rsa), KeyState::of_another);
}

TEST(KeyState, LooksAtTheFirstKeyAsServersDo) {
  TestCertificate made = TestAuthority().issue();
  EXPECT_EQ(key_state(make_key_pem() + made.key_pem, leaf_of(made)), KeyState::of_another);
}

TEST(KeyState, SkipsEcParameters) {
  TestCertificate made = TestAuthority().issue();
  std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  EXPECT_EQ(key_state(parameters + traditional_key_pem(made.key_pem), leaf_of(made)),
            KeyState::matches);
}

// In PKCS #8 of P-256 the secret begins at byte 36 (RFC 5915). Base64 encodes 3 bytes in 4 letters.
TEST(KeyState, ADamagedSecretIsFoundByTrying) {
  TestAuthority ca;
  for (TestKey kind :
       {TestKey::p256, TestKey::p384, TestKey::ed25519, TestKey::rsa2048, TestKey::rsa_pss}) {
    TestCertificate made = ca.issue({.key = kind});
    EXPECT_EQ(tried_key_state(made.key_pem, leaf_of(made)), KeyState::matches);
  }
  TestCertificate made = ca.issue();
  Certificate leaf = leaf_of(made);
  std::string damaged = made.key_pem;
  char& letter = damaged[damaged.find('\n') + 1 + 40 / 3 * 4];
  letter = letter == 'A' ? 'B' : 'A';
  EXPECT_EQ(key_state(damaged, leaf), KeyState::matches) << "so all servers take it";
  EXPECT_EQ(tried_key_state(damaged, leaf), KeyState::damaged);
  EXPECT_EQ(tried_key_state(make_key_pem(), leaf), KeyState::of_another);
}

TEST(KeyState, SaysWhatIsWrong) {
  TestCertificate made = TestAuthority().issue();
  Certificate leaf = leaf_of(made);
  EXPECT_EQ(key_state(encrypted_key_pem(made.key_pem), leaf), KeyState::encrypted);
  EXPECT_EQ(key_state(encrypted_key_pem(made.key_pem, true), leaf), KeyState::encrypted);
  EXPECT_EQ(key_state(made.pem, leaf), KeyState::none);
  EXPECT_EQ(key_state("", leaf), KeyState::none);
  std::string broken = made.key_pem;
  broken[60] = broken[60] == 'A' ? 'B' : '!';
  EXPECT_EQ(key_state(broken, leaf), KeyState::unreadable);
  EXPECT_EQ(to_text(KeyState::of_another), "belongs to another certificate");
}

}  // namespace
}  // namespace certrebind
