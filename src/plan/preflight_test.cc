#include "plan/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using std::chrono::sys_days;
using std::chrono::year;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

OldCertificate old_of(const std::string& pem, bool has_file = true) {
  OldCertificate old;
  old.bundle = Bundle::parse(pem).value();
  old.thumbprint = old.bundle.leaf.outline.thumbprint;
  old.has_file = has_file;
  return old;
}

NewCertificate new_of(const std::string& pem, const std::string& key) {
  NewCertificate made;
  made.bundle = Bundle::parse(pem).value();
  made.files = {.certificate = "/n/new.pem", .key = "/n/new.key"};
  made.key = key_state(key, made.bundle.leaf);
  made.key_blocks = private_key_blocks(key);
  return made;
}
NewCertificate new_of(const TestCertificate& certificate) {
  return new_of(certificate.chain_pem, certificate.key_pem);
}

class PreflightTest : public ::testing::Test {
 protected:
  std::vector<Finding> check(const OldCertificate& old_one, const NewCertificate& new_one) {
    return preflight_certificate(old_one, new_one, test_now());
  }
  std::vector<Finding> check(const TestCertificate& old_one, const TestCertificate& new_one) {
    return check(old_of(old_one.chain_pem), new_of(new_one));
  }
  static void expect_refused(const std::vector<Finding>& findings, const std::string& why) {
    EXPECT_TRUE(refuses(findings)) << why;
    EXPECT_THAT(findings, Contains(Field(&Finding::sentence, HasSubstr(why))));
    for (const Finding& finding : findings)
      if (finding.severity == Severity::error) {
        EXPECT_NE(finding.next, "") << finding.sentence;
      }
  }
  TestCertificate with_key(TestKey key) { return issuer_.issue({.names = {"a.test"}, .key = key}); }

  TestAuthority root_;
  TestAuthority issuer_ = root_.intermediate("Test Intermediate");
  TestCertificate old_ = issuer_.issue({.names = {"a.test", "b.test"}});
  TestCertificate new_ = issuer_.issue({.names = {"a.test", "b.test"}});
};

TEST_F(PreflightTest, ARenewalPassesWithoutAWord) {
  EXPECT_THAT(check(old_, new_), IsEmpty());
}

TEST_F(PreflightTest, TheKeyMustMatch) {
  std::string path = "/n/new.key";
  expect_refused(check(old_of(old_.chain_pem), new_of(new_.chain_pem, old_.key_pem)),
                 path + " belongs to another certificate");
  expect_refused(
      check(old_of(old_.chain_pem), new_of(new_.chain_pem, encrypted_key_pem(new_.key_pem))),
      path + " is encrypted");
  expect_refused(check(old_of(old_.chain_pem), new_of(new_.chain_pem, "no key")),
                 "no private key in " + path);
  expect_refused(check(old_of(old_.chain_pem), new_of(new_.chain_pem,
                                                      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END "
                                                      "PRIVATE KEY-----\n")),
                 path + " cannot be read");
}

TEST_F(PreflightTest, TheLeafComesFirst) {
  NewCertificate turned = new_of(issuer_.certificate().pem + new_.pem, new_.key_pem);
  expect_refused(check(old_of(old_.chain_pem), turned), "does not begin with the leaf");
  NewCertificate authority = new_of(issuer_.certificate().pem, issuer_.certificate().key_pem);
  expect_refused(check(old_of(old_.chain_pem), authority), "is a CA certificate");
}

// Certificates as `openssl req -x509` makes them.
TEST_F(PreflightTest, ASelfSignedOneThatCallsItselfACaMaySucceedItsLike) {
  TestCertificate first = TestAuthority("a.test").certificate();
  TestCertificate next = TestAuthority("a.test").certificate();
  EXPECT_THAT(check(old_of(first.pem), new_of(next.pem, next.key_pem)), IsEmpty());
  expect_refused(check(old_of(old_.chain_pem), new_of(next.pem, next.key_pem)),
                 "is a CA certificate");
}

TEST_F(PreflightTest, ItIsValidNow) {
  TestCertificate late =
      issuer_.issue({.names = {"a.test"}, .not_after = test_now() - milliseconds(1)});
  expect_refused(check(old_, late), "expired on 2025-12-31");
  TestCertificate early =
      issuer_.issue({.names = {"a.test"}, .not_before = test_now() + std::chrono::days(1)});
  expect_refused(check(old_, early), "not valid before 2026-01-02");
  TestCertificate just = issuer_.issue({.names = {"a.test"}, .not_before = test_now()});
  EXPECT_THAT(check(old_, just), IsEmpty());
}

// Whether it is a mistake depends on who says that it succeeds the old one: see the planner.
TEST_F(PreflightTest, AShorterLifeIsSaid) {
  TestCertificate shorter = issuer_.issue({.not_after = sys_days(year(2048) / 1 / 1)});
  std::vector<Finding> findings = check(old_, shorter);
  EXPECT_FALSE(refuses(findings));
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].risk, Risk::shorter);
  EXPECT_THAT(findings[0].sentence, HasSubstr("before the old one"));
  TestCertificate backup = issuer_.issue(
      {.not_before = sys_days(year(2019) / 1 / 1), .not_after = sys_days(year(2048) / 1 / 1)});
  expect_refused(check(old_, backup), "was issued before it");
  EXPECT_THAT(check(shorter, old_), IsEmpty());
  EXPECT_THAT(check(old_, new_), IsEmpty()) << "the same day is not before";
}

TEST_F(PreflightTest, OnlyWhatHasANameIsAccepted) {
  std::vector<Finding> findings = {{Severity::error, "lost", "issue it", Risk::name_lost},
                                   {Severity::error, "weak", "issue it", Risk::weaker_key},
                                   {Severity::error, "wrong key", "give it"}};
  accept({Risk::weaker_key}, "certrebind rebind OLD NEW", findings);
  EXPECT_EQ(findings[0].severity, Severity::error);
  EXPECT_EQ(findings[0].next,
            "issue it; if it is meant: certrebind rebind OLD NEW --accept=name-lost");
  EXPECT_EQ(findings[1].severity, Severity::warning);
  EXPECT_EQ(findings[1].next, "");
  EXPECT_EQ(findings[2].severity, Severity::error);
  EXPECT_EQ(findings[2].next, "give it");
}

TEST_F(PreflightTest, AnEncryptedKeyNeedsAPassphraseOfTheServer) {
  NewCertificate encrypted = new_of(new_);
  encrypted.key = KeyState::encrypted;
  const OldCertificate old_one = old_of(old_.chain_pem);
  EXPECT_TRUE(refuses(preflight_itself(old_one, encrypted, test_now())));
  EXPECT_FALSE(refuses(preflight_itself(old_one, encrypted, test_now(), Passphrase::known)));
}

TEST_F(PreflightTest, WhatLedToTheSameRootBySignaturesMayBeSent) {
  auto chain = [](const TestCertificate& each) { return Bundle::parse(each.chain_pem).value(); };
  const Bundle before = chain(old_);
  EXPECT_FALSE(refuses(preflight_chain(before, true, chain(new_), "/n")));
  TestAuthority second = root_.intermediate("Second Intermediate");
  EXPECT_FALSE(
      refuses(preflight_chain(before, true, chain(second.issue({.names = {"a.test"}})), "/n")));
  // The same names in the whole chain, but other keys.
  TestAuthority other_root;
  TestAuthority other = other_root.intermediate("Test Intermediate");
  Bundle mixed = chain(other.issue({.names = {"a.test"}}));
  mixed.chain = before.chain;
  EXPECT_TRUE(refuses(preflight_chain(before, true, mixed, "/n")));
  Bundle bare = chain(new_);
  bare.chain.clear();
  EXPECT_TRUE(refuses(preflight_chain(before, true, bare, "/n")));
}

TEST_F(PreflightTest, TheCipherSuitesMustKnowTheKey) {
  Binding binding;
  binding.site = "a.test";
  binding.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  const TestCertificate rsa = with_key(TestKey::rsa3072), ec = with_key(TestKey::p384);
  expect_refused(preflight_binding(binding, old_of(rsa.chain_pem), new_of(ec)),
                 "allows no cipher suite for that");
  EXPECT_FALSE(refuses(preflight_binding(binding, old_of(rsa.chain_pem), new_of(rsa))));
  EXPECT_FALSE(refuses(preflight_binding(binding, old_of(ec.chain_pem), new_of(ec))))
      << "it served nobody before";
  binding.ciphers = "";
  EXPECT_FALSE(refuses(preflight_binding(binding, old_of(rsa.chain_pem), new_of(ec))));
}

TEST_F(PreflightTest, TheKeyIsNotWeaker) {
  TestCertificate p384 = with_key(TestKey::p384), rsa3072 = with_key(TestKey::rsa3072),
                  rsa2048 = with_key(TestKey::rsa2048);
  expect_refused(check(p384, old_), "weaker than the old one");
  expect_refused(check(rsa3072, rsa2048), "weaker than the old one");
  expect_refused(check(old_, rsa2048), "weaker than the old one");
  EXPECT_THAT(check(rsa2048, rsa3072), IsEmpty());
  EXPECT_THAT(check(old_, p384), IsEmpty());
}

TEST_F(PreflightTest, AnotherTypeOfTheSameStrengthIsNoted) {
  for (auto [from, to] :
       {std::pair(TestKey::rsa2048, TestKey::p256), std::pair(TestKey::rsa3072, TestKey::p256),
        std::pair(TestKey::p384, TestKey::ed25519)}) {
    std::vector<Finding> findings = check(with_key(from), with_key(to));
    EXPECT_FALSE(refuses(findings));
    EXPECT_THAT(findings, Contains(Field(&Finding::sentence, HasSubstr("the key changes from"))));
  }
}

TEST_F(PreflightTest, TheChainIsAsLongAsItHasToBe) {
  expect_refused(check(old_of(old_.chain_pem), new_of(new_.pem, new_.key_pem)),
                 "no intermediate certificate, but the old one had 1");
  EXPECT_THAT(check(old_of(old_.pem), new_of(new_.pem, new_.key_pem)), IsEmpty())
      << "the old one had none either";
  EXPECT_THAT(check(old_of(old_.pem), new_of(new_)), IsEmpty()) << "a longer one is no fault";
  EXPECT_FALSE(
      refuses(check(old_of(old_.chain_pem), new_of(new_.chain_pem + new_.root_pem, new_.key_pem))));
}

TEST_F(PreflightTest, WhatDoesNotBelongToTheChainIsWarnedOf) {
  TestAuthority other("Other Root");
  std::vector<Finding> findings =
      check(old_of(old_.chain_pem), new_of(new_.chain_pem + other.certificate().pem, new_.key_pem));
  EXPECT_FALSE(refuses(findings));
  EXPECT_THAT(findings, Contains(Field(&Finding::sentence, HasSubstr("1 of the 2 certificates"))));
}

TEST_F(PreflightTest, TheChainEndsWhereTheOldOneDidOrIsTrusted) {
  TestAuthority other("Other Root");
  expect_refused(check(old_, other.intermediate("Other Intermediate").issue()),
                 "this machine does not trust and which is not where the old chain ended");
  TestAuthority second = root_.intermediate("Second Intermediate");
  EXPECT_THAT(check(old_, second.issue()), IsEmpty()) << "another intermediate, the same root";
  expect_refused(check(old_, self_signed()), "no intermediate certificate");
}

TEST_F(PreflightTest, AnIntermediateIsACaAndHasNotExpired) {
  NewCertificate over = new_of(new_);
  over.bundle.chain.at(0).outline.not_after = test_now() - std::chrono::days(1);
  expect_refused(check(old_of(old_.chain_pem), over), "expired on");
  NewCertificate no_ca = new_of(new_);
  no_ca.bundle.chain.at(0).is_ca = false;
  expect_refused(check(old_of(old_.chain_pem), no_ca), "is not a CA");
}

TEST_F(PreflightTest, SelfSignedSucceedsSelfSigned) {
  EXPECT_THAT(check(self_signed(), self_signed()), IsEmpty());
}

TEST_F(PreflightTest, AForcedReloadComparesNothing) {
  OldCertificate same = old_of(new_.chain_pem);
  NewCertificate bare = new_of(new_.pem, new_.key_pem);
  EXPECT_THAT(check(same, bare), IsEmpty());
  TestCertificate gone = issuer_.issue({.not_after = sys_days(year(2025) / 1 / 1)});
  expect_refused(check(old_of(gone.chain_pem), new_of(gone)), "expired");
}

class BindingPreflightTest : public PreflightTest {
 protected:
  std::vector<Finding> check_binding(const TestRequest& request) {
    return preflight_binding(binding_, old_of(old_.chain_pem), new_of(issuer_.issue(request)));
  }
  BindingPreflightTest() {
    binding_.site = "a.test";
    binding_.names = {"a.test", "b.test", "elsewhere.test"};
  }
  Binding binding_;
};

TEST_F(BindingPreflightTest, NoNameIsLost) {
  EXPECT_THAT(check_binding({.names = {"a.test", "b.test"}}), IsEmpty());
  expect_refused(check_binding({.names = {"a.test"}}), "a.test would lose b.test");
}

TEST_F(BindingPreflightTest, AWildcardCoversItsNames) {
  old_ = issuer_.issue({.names = {"a.c.test"}});
  binding_.names = {"a.c.test", "c.test"};
  EXPECT_THAT(check_binding({.names = {"*.c.test"}}), IsEmpty());
  old_ = issuer_.issue({.names = {"a.c.test", "c.test"}});
  expect_refused(check_binding({.names = {"*.c.test"}}), "would lose c.test");
}

TEST_F(BindingPreflightTest, NamesLostAndWon) {
  Certificate old_one = Bundle::parse(old_.pem)->leaf;
  Certificate other =
      Bundle::parse(issuer_.issue({.names = {"a.test", "elsewhere.test"}}).pem)->leaf;
  EXPECT_EQ(names_lost(binding_, old_one, other), std::vector<std::string>{"b.test"});
  EXPECT_EQ(names_won(binding_, old_one, other), std::vector<std::string>{"elsewhere.test"});
}

TEST_F(BindingPreflightTest, RenewedInPlaceNoNameOfOldIsLost) {
  binding_.names = {"elsewhere.test"};  // as on disk, where NEW is already
  binding_.named_by_certificate = true;
  std::vector<Finding> findings = check_binding({.names = {"elsewhere.test"}});
  expect_refused(findings, "would lose a.test, b.test");
  EXPECT_EQ(findings[0].risk, Risk::name_lost);
}

TEST_F(BindingPreflightTest, ItMayBeAServer) {
  std::vector<std::string> names = {"a.test", "b.test"};
  expect_refused(check_binding({.names = names, .extended_key_usage = "clientAuth"}),
                 "not for TLS servers");
  EXPECT_THAT(check_binding({.names = names, .extended_key_usage = ""}), IsEmpty());
  EXPECT_THAT(check_binding({.names = names, .extended_key_usage = "serverAuth,clientAuth"}),
              IsEmpty());
}

TEST_F(BindingPreflightTest, TowardsAnUpstreamItMayBeAClient) {
  binding_.role = Role::client;
  expect_refused(check_binding({.names = {"x.test"}}), "not for TLS clients");
  EXPECT_THAT(check_binding({.names = {"x.test"}, .extended_key_usage = "clientAuth"}), IsEmpty());
}

TEST_F(BindingPreflightTest, MustStapleNeedsStapling) {
  TestRequest request{.names = {"a.test", "b.test"}, .must_staple = true};
  expect_refused(check_binding(request), "Must-Staple");
  binding_.stapling = true;
  EXPECT_THAT(check_binding(request), IsEmpty());
}

}  // namespace
}  // namespace certrebind
