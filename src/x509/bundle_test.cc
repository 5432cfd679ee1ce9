#include "x509/bundle.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

Bundle parsed(const std::string& pem) {
  auto bundle = Bundle::parse(pem);
  EXPECT_TRUE(bundle) << bundle.error().message();
  return *bundle;
}

struct Family {
  TestAuthority root, intermediate = root.intermediate("Intermediate"),
                      lower = intermediate.intermediate("Lower");
  TestCertificate leaf = lower.issue({.names = {"a.test"}});
};

TEST(Bundle, KnowsWhatStandsWhere) {
  Family family;
  Bundle bundle = parsed(family.leaf.combined());
  EXPECT_EQ(bundle.leaf.outline.thumbprint, family.leaf.thumbprint);
  EXPECT_EQ(bundle.chain.size(), 2U);
  EXPECT_TRUE(bundle.has_key);
  EXPECT_FALSE(bundle.key_first);
  EXPECT_FALSE(bundle.leaf_not_first());
  EXPECT_EQ(bundle.certificates_pem(), family.leaf.chain_pem);
  EXPECT_TRUE(parsed(family.leaf.key_pem + family.leaf.pem).key_first);
  EXPECT_FALSE(parsed(family.leaf.pem).has_key);
}

TEST(Bundle, FollowsTheChainAsFarAsItConnects) {
  Family family;
  const std::string leaf = family.leaf.pem, lower = family.lower.certificate().pem,
                    middle = family.intermediate.certificate().pem,
                    root = family.root.certificate().pem;
  EXPECT_EQ(parsed(leaf).connected(), 0U);
  EXPECT_EQ(parsed(leaf + lower + middle).connected(), 2U);
  EXPECT_EQ(parsed(leaf + lower + middle + root).connected(), 3U);
  EXPECT_EQ(parsed(leaf + middle + lower).connected(), 0U);
  EXPECT_EQ(parsed(leaf + lower + root).connected(), 1U);
  EXPECT_EQ(parsed(leaf + lower + root).top().outline.subject, "Lower");
  EXPECT_EQ(parsed(leaf).top().outline.subject, "a.test");
}

TEST(Bundle, SeesALeafBehindItsChain) {
  Family family;
  const std::string lower = family.lower.certificate().pem;
  EXPECT_TRUE(parsed(lower + family.leaf.pem).leaf_not_first());
  EXPECT_FALSE(parsed(lower + family.root.certificate().pem).leaf_not_first());
  EXPECT_FALSE(parsed(self_signed({.ca = true}).pem).leaf_not_first());
}

TEST(Bundle, SaysWhichBlockIsBad) {
  TestCertificate made = TestAuthority().issue();
  std::string garbage = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(Bundle::parse(made.key_pem).error().cause, "there is no certificate in the file");
  auto refused = Bundle::parse(made.pem + garbage);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().cause.starts_with("certificate 2 of the file: "));
}

// OpenSSL treats the text before an empty line as headers, so a server would not start with this.
TEST(Bundle, RefusesWhatOnlyWeCouldRead) {
  std::string pem = TestAuthority().issue().pem;
  pem.insert(28 + 65, "\n");
  auto refused = Bundle::parse(pem);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().cause.starts_with("OpenSSL stops after 0 of 1 certificate"))
      << refused.error().cause;
}

TEST(Bundle, KeyBlocksStandAlone) {
  TestCertificate made = TestAuthority().issue();
  std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  EXPECT_EQ(private_key_blocks(made.pem + parameters + made.key_pem), made.key_pem);
  EXPECT_EQ(private_key_blocks(made.key_pem.substr(0, made.key_pem.size() - 1)), made.key_pem);
  EXPECT_EQ(private_key_blocks(made.pem), "");
}

// Reports each wrong answer by its number.
void exit_with_wrong_answer() {
  Family family, stranger;
  char directory[] = "/tmp/certrebind-roots-XXXXXX";
  if (mkdtemp(directory) == nullptr) std::_Exit(100);
  X509Ptr root = x509_of(family.root.certificate().der);
  char name[64];
  snprintf(name, sizeof name, "%s/%08lx.0", directory, X509_subject_name_hash(root.get()));
  std::ofstream(name) << family.root.certificate().pem;
  setenv("SSL_CERT_DIR", directory, 1);
  TestCertificate expired =
      family.root.issue({.not_after = std::chrono::sys_days(std::chrono::year(2021) / 1 / 1)});
  bool right[] = {
      ends_in_trusted_root(parsed(family.leaf.chain_pem)),
      ends_in_trusted_root(parsed(family.leaf.chain_pem + family.root.certificate().pem)),
      ends_in_trusted_root(parsed(expired.pem)),
      !ends_in_trusted_root(parsed(family.leaf.pem)),
      !ends_in_trusted_root(parsed(stranger.leaf.chain_pem)),
      !ends_in_trusted_root(parsed(self_signed().pem)),
  };
  std::filesystem::remove_all(directory);
  for (int i = 0; i < 6; ++i)
    if (!right[i]) std::_Exit(i + 1);
  std::_Exit(0);
}

// The system's roots are opened once per process, so this test uses a process of its own.
TEST(BundleDeathTest, EndsInATrustedRoot) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(exit_with_wrong_answer(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace certrebind
