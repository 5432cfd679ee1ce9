#include "survey/identify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

class IdentifyTest : public ::testing::Test {
 protected:
  IdentifyTest() {
    files_.put("/c/one.pem", one_.chain_pem);
    files_.put("/c/one.key", one_.key_pem);
    files_.put("/c/two.pem", two_.combined());
  }
  Sighting seen(const std::string& path, const TestCertificate& certificate) {
    return {path, certificate.thumbprint, certificate.der};
  }
  TestAuthority root_;
  TestAuthority issuer_ = root_.intermediate("Test Intermediate");
  TestCertificate one_ = issuer_.issue({.names = {"one.test"}});
  TestCertificate two_ = issuer_.issue({.names = {"two.test"}});
  MemoryFiles files_;
  KnownCertificates known_;
  Survey survey_;
  std::vector<StoreSetting> stores_ = {{"directory", "/c"}};
};

// The binding says where the key is; nothing beside the certificate would lead there.
TEST_F(IdentifyTest, TheKeyOfABindingComesFirst) {
  FakeHost host;
  host.files.put(host.certificate_path(0), host.new_ones[0].chain_pem);
  host.files.put(host.key_path(0), host.new_ones[0].key_pem);
  const std::string here = host.certificate_path(0);
  survey_ = host.survey();
  ASSERT_EQ(survey_.bindings.size(), 1U);
  survey_.bindings[0].binding.key.path = "/private/k";
  host.files.put("/private/k", host.new_ones[0].key_pem);
  EXPECT_EQ(identify_new(host.files, known_, {}, survey_, here, "")->files.key, "/private/k");
  host.files.put("/private/k", one_.key_pem);
  EXPECT_EQ(identify_new(host.files, known_, {}, survey_, here, "")->files.key, host.key_path(0));
}

TEST_F(IdentifyTest, TellsPathsFromThumbprints) {
  EXPECT_TRUE(is_path("/c/one.pem"));
  EXPECT_TRUE(is_path("one.pem"));
  EXPECT_TRUE(is_path("./deadbeef00"));
  EXPECT_FALSE(is_path("deadbeef00"));
  EXPECT_FALSE(is_path("DE:AD:BE:EF:00"));
}

TEST_F(IdentifyTest, OldFromItsPath) {
  auto old_one = identify_old(files_, known_, "/c/one.pem");
  ASSERT_TRUE(old_one);
  EXPECT_EQ(old_one->thumbprint, one_.thumbprint);
  EXPECT_TRUE(old_one->has_file);
  EXPECT_EQ(old_one->bundle.connected(), 1U);
  EXPECT_EQ(identify_old(files_, known_, "/c/none.pem").error().code, Code::not_found);
  auto key = identify_old(files_, known_, "/c/one.key");
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message(), HasSubstr("/c/one.key"));
}

TEST_F(IdentifyTest, OldFromAThumbprintWithItsChainWhereThatIsLeft) {
  known_.add_seen({seen("/c/one.pem", one_)});
  auto old_one = identify_old(files_, known_, one_.thumbprint.hex().substr(0, 12));
  ASSERT_TRUE(old_one);
  EXPECT_TRUE(old_one->has_file);
  files_.put("/c/one.pem", two_.chain_pem);
  old_one = identify_old(files_, known_, one_.thumbprint.hex());
  ASSERT_TRUE(old_one);
  EXPECT_EQ(old_one->thumbprint, one_.thumbprint);
  EXPECT_FALSE(old_one->has_file) << "the chain of another certificate is not its own";
  EXPECT_TRUE(old_one->bundle.chain.empty());
}

TEST_F(IdentifyTest, KnowsWhatIsServedOnly) {
  known_.add_served(one_.der);
  auto old_one = identify_old(files_, known_, one_.thumbprint.hex());
  ASSERT_TRUE(old_one);
  EXPECT_FALSE(old_one->has_file);
  EXPECT_EQ(known_.all().at(0).where, "served");
}

TEST_F(IdentifyTest, AcceptsASha1AsWindowsShowsIt) {
  known_.add_stored(files_, stores_);
  EXPECT_EQ(known_.find("\xE2\x80\x8E" + sha1_thumbprint(one_.der))->outline.thumbprint,
            one_.thumbprint);
}

TEST_F(IdentifyTest, SaysWhatItDoesNotKnow) {
  known_.add_stored(files_, stores_);
  EXPECT_EQ(known_.find("0123456789abcdef").error().code, Code::not_found);
  EXPECT_EQ(known_.find("not one").error().code, Code::usage);
}

TEST_F(IdentifyTest, OneCertificateInManyPlacesIsNotAmbiguous) {
  known_.add_seen({seen("/c/one.pem", one_), seen("/d/one.pem", one_)});
  EXPECT_TRUE(known_.find(one_.thumbprint.hex().substr(0, 8)));
}

TEST_F(IdentifyTest, SevenDigitsAreTooFew) {
  known_.add_seen({seen("/c/one.pem", one_), seen("/c/two.pem", two_)});
  EXPECT_EQ(known_.find(one_.thumbprint.hex().substr(0, 7)).error().code, Code::usage);
}

TEST_F(IdentifyTest, NewFromItsPathWithTheKeyBesideIt) {
  auto new_one = identify_new(files_, known_, stores_, survey_, "/c/one.pem", "");
  ASSERT_TRUE(new_one);
  EXPECT_EQ(new_one->files.certificate, "/c/one.pem");
  EXPECT_EQ(new_one->files.key, "/c/one.key");
  EXPECT_EQ(new_one->key, KeyState::matches);
  EXPECT_EQ(new_one->key_blocks, one_.key_pem);
  ASSERT_TRUE(new_one->home);
  EXPECT_EQ(new_one->home->path, "/c");
}

TEST_F(IdentifyTest, NewFromACombinedFileOutsideEveryStore) {
  auto new_one = identify_new(files_, known_, {}, survey_, "/c/two.pem", "");
  ASSERT_TRUE(new_one);
  EXPECT_EQ(new_one->files.key, "/c/two.pem");
  EXPECT_EQ(new_one->key, KeyState::matches);
  EXPECT_FALSE(new_one->home);
}

TEST_F(IdentifyTest, TheKeyThatIsGivenCounts) {
  files_.put("/elsewhere/k", one_.key_pem);
  EXPECT_EQ(identify_new(files_, known_, {}, survey_, "/c/one.pem", "/elsewhere/k")->files.key,
            "/elsewhere/k");
  EXPECT_EQ(identify_new(files_, known_, {}, survey_, "/c/two.pem", "/elsewhere/k")->key,
            KeyState::of_another);
  EXPECT_FALSE(identify_new(files_, known_, {}, survey_, "/c/one.pem", "/elsewhere/none"));
}

TEST_F(IdentifyTest, AMissingKeyIsForPreflightToTell) {
  files_.put("/alone/one.pem", one_.chain_pem);
  auto new_one = identify_new(files_, known_, {}, survey_, "/alone/one.pem", "");
  ASSERT_TRUE(new_one);
  EXPECT_EQ(new_one->key, KeyState::none);
  EXPECT_EQ(new_one->key_blocks, "");
}

TEST_F(IdentifyTest, NewFromAThumbprintNeedsAFile) {
  known_.add_served(one_.der);
  auto new_one = identify_new(files_, known_, stores_, survey_, one_.thumbprint.hex(), "");
  ASSERT_FALSE(new_one);
  EXPECT_EQ(new_one.error().code, Code::not_found);
  EXPECT_THAT(new_one.error().cause, HasSubstr("no file holds it"));
  known_.add_stored(files_, stores_);
  EXPECT_TRUE(identify_new(files_, known_, stores_, survey_, two_.thumbprint.hex(), ""));
}

TEST_F(IdentifyTest, NewFromTheOneOfItsPathsThatStillHoldsIt) {
  known_.add_seen({seen("/gone/one.pem", one_), seen("/c/one.pem", one_)});
  auto new_one = identify_new(files_, known_, stores_, survey_, one_.thumbprint.hex(), "");
  ASSERT_TRUE(new_one) << new_one.error().message();
  EXPECT_EQ(new_one->files.certificate, "/c/one.pem");
}

}  // namespace
}  // namespace certrebind
