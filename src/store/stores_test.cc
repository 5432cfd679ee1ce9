#include "store/stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoresTest : public ::testing::Test {
 protected:
  // "certificate <- key" for everything that is found.
  std::vector<std::string> found(const std::string& kind, const std::string& path) {
    std::vector<std::string> all;
    for (const StoredCertificate& stored : stored_certificates(files_, {{kind, path}})) {
      EXPECT_EQ(stored.store.kind, kind);
      all.push_back(stored.certificate_path + " <- " + stored.key_path);
    }
    return all;
  }
  void put_certificate(const std::string& path) { files_.put(path, one_.chain_pem); }
  void put_key(const std::string& path) { files_.put(path, one_.key_pem, 0600); }
  Certificate leaf() { return Certificate::parse(one_.der).value(); }

  TestAuthority issuer_;
  TestCertificate one_ = issuer_.issue();
  TestCertificate other_ = issuer_.issue();
  MemoryFiles files_;
};

TEST_F(StoresTest, Certbot) {
  put_certificate("/le/archive/a.test/fullchain1.pem");
  put_key("/le/archive/a.test/privkey1.pem");
  files_.put_link("/le/live/a.test/fullchain.pem", "../../archive/a.test/fullchain1.pem");
  files_.put_link("/le/live/a.test/privkey.pem", "../../archive/a.test/privkey1.pem");
  files_.put_link("/le/live/broken/fullchain.pem", "../../archive/none.pem");
  files_.put("/le/live/README", "");
  EXPECT_THAT(found("certbot", "/le"),
              ElementsAre("/le/live/a.test/fullchain.pem <- /le/live/a.test/privkey.pem"));
}

TEST_F(StoresTest, Lego) {
  put_certificate("/l/certificates/a.test.crt");
  put_certificate("/l/certificates/a.test.issuer.crt");
  put_key("/l/certificates/a.test.key");
  put_certificate("/l/certificates/_.b.test.crt");
  files_.put("/l/certificates/a.test.json", "{}");
  EXPECT_THAT(found("lego", "/l"),
              ElementsAre("/l/certificates/_.b.test.crt <- ",
                          "/l/certificates/a.test.crt <- /l/certificates/a.test.key"));
}

TEST_F(StoresTest, AcmeSh) {
  put_certificate("/h/.acme.sh/a.test/fullchain.cer");
  put_certificate("/h/.acme.sh/a.test/a.test.cer");
  put_key("/h/.acme.sh/a.test/a.test.key");
  put_certificate("/h/.acme.sh/b.test_ecc/fullchain.cer");
  put_key("/h/.acme.sh/b.test_ecc/b.test.key");
  files_.put("/h/.acme.sh/account.conf", "");
  EXPECT_THAT(
      found("acme.sh", "/h/.acme.sh"),
      ElementsAre("/h/.acme.sh/a.test/fullchain.cer <- /h/.acme.sh/a.test/a.test.key",
                  "/h/.acme.sh/b.test_ecc/fullchain.cer <- /h/.acme.sh/b.test_ecc/b.test.key"));
}

TEST_F(StoresTest, Dehydrated) {
  put_certificate("/d/a.test/fullchain.pem");
  put_key("/d/a.test/privkey.pem");
  EXPECT_THAT(found("dehydrated", "/d"),
              ElementsAre("/d/a.test/fullchain.pem <- /d/a.test/privkey.pem"));
}

TEST_F(StoresTest, Uacme) {
  put_certificate("/u/a.test/cert.pem");
  put_key("/u/private/a.test/key.pem");
  EXPECT_THAT(found("uacme", "/u"), ElementsAre("/u/a.test/cert.pem <- /u/private/a.test/key.pem"));
}

TEST_F(StoresTest, APlainDirectoryListsWhatHasAKey) {
  put_certificate("/etc/ssl/certs/a.pem");
  put_key("/etc/ssl/private/a.key");
  put_certificate("/etc/ssl/certs/root.pem");
  files_.put("/etc/ssl/certs/both.pem", one_.combined());
  put_certificate("/etc/ssl/b.crt");
  put_key("/etc/ssl/b.key");
  files_.put("/etc/ssl/openssl.cnf", "no certificate");
  EXPECT_THAT(found("directory", "/etc/ssl"),
              ElementsAre("/etc/ssl/b.crt <- /etc/ssl/b.key",
                          "/etc/ssl/certs/a.pem <- /etc/ssl/private/a.key",
                          "/etc/ssl/certs/both.pem <- /etc/ssl/certs/both.pem"));
}

TEST_F(StoresTest, APlainDirectoryWithItsKeysBelow) {
  put_certificate("/etc/ssl/a.crt");
  put_key("/etc/ssl/private/a.key");
  EXPECT_THAT(found("directory", "/etc/ssl"),
              ElementsAre("/etc/ssl/a.crt <- /etc/ssl/private/a.key"));
}

TEST_F(StoresTest, WhatIsNotThereIsNoError) {
  for (const StoreSetting& store : usual_stores("/root"))
    EXPECT_THAT(found(store.kind, store.path), IsEmpty()) << store.path;
}

TEST_F(StoresTest, OfAKindThatIsKnown) {
  EXPECT_TRUE(check_stores(usual_stores("/root")));
  EXPECT_EQ(check_stores({{"vault", "/v"}}).error().code, Code::usage);
  EXPECT_EQ(check_stores({{"lego", "relative"}}).error().code, Code::usage);
  EXPECT_TRUE(check_stores({{"lego", "/l", {"/usr/bin/lego", "renew"}}}));
  EXPECT_EQ(check_stores({{"lego", "/l", {"lego", "renew"}}}).error().code, Code::usage);
}

TEST_F(StoresTest, RenewersOwnTheirTrees) {
  for (const char* kind : {"certbot", "lego", "acme.sh", "dehydrated", "uacme", "certmonger"})
    EXPECT_TRUE(belongs_to_renewer({kind, "/x"})) << kind;
  EXPECT_FALSE(belongs_to_renewer({"directory", "/etc/ssl"}));
  EXPECT_FALSE(belongs_to_renewer({"unknown", "/x"}));
}

TEST_F(StoresTest, TheInnermostStoreCounts) {
  std::vector<StoreSetting> stores = {{"directory", "/etc/ssl"}, {"uacme", "/etc/ssl/uacme"}};
  put_certificate("/etc/ssl/uacme/a/cert.pem");
  put_certificate("/etc/ssl/a.pem");
  EXPECT_EQ(store_of(files_, stores, "/etc/ssl/uacme/a/cert.pem")->kind, "uacme");
  EXPECT_EQ(store_of(files_, stores, "/etc/ssl/a.pem")->kind, "directory");
  EXPECT_FALSE(store_of(files_, stores, "/etc/sslx/a.pem"));
  EXPECT_FALSE(store_of(files_, stores, "/etc/ssl/../nginx/a.pem"));
  EXPECT_EQ(store_of(files_, stores, "/etc/ssl/none/yet.pem")->kind, "directory");
}

TEST_F(StoresTest, LinksAreFollowedBothWays) {
  std::vector<StoreSetting> stores = {{"certbot", "/le"}, {"lego", "/linked"}};
  put_certificate("/le/archive/a/fullchain1.pem");
  files_.put_link("/etc/nginx/a.pem", "/le/archive/a/fullchain1.pem");
  EXPECT_EQ(store_of(files_, stores, "/etc/nginx/a.pem")->kind, "certbot");
  put_certificate("/srv/lego/certificates/a.crt");
  files_.put_link("/linked", "/srv/lego");
  EXPECT_EQ(store_of(files_, stores, "/srv/lego/certificates/a.crt")->kind, "lego");
  put_certificate("/srv/elsewhere/a.pem");
  files_.put_link("/le/live/a/fullchain.pem", "/srv/elsewhere/a.pem");
  EXPECT_EQ(store_of(files_, stores, "/le/live/a/fullchain.pem")->kind, "certbot") << "as typed";
}

TEST_F(StoresTest, FindsTheKeyWherePeoplePutIt) {
  for (const char* key :
       {"/s/c/privkey.pem", "/s/c/a.key", "/s/c/a.pem.key", "/s/c/key.pem", "/s/c/a-key.pem",
        "/s/c/a.key.pem", "/s/c/private/a.key", "/s/private/a.key", "/s/c/odd-name"}) {
    files_ = MemoryFiles();
    put_certificate("/s/c/a.pem");
    put_key(key);
    EXPECT_EQ(find_key(files_, "/s/c/a.pem", leaf()), key);
  }
}

TEST_F(StoresTest, TheSameFileComesFirst) {
  files_.put("/c/a.pem", one_.combined());
  put_key("/c/a.key");
  EXPECT_EQ(find_key(files_, "/c/a.pem", leaf()), "/c/a.pem");
}

TEST_F(StoresTest, TheKeyThatMatchesCounts) {
  put_certificate("/c/a.pem");
  files_.put("/c/a.key", other_.key_pem);
  put_key("/c/zz");
  EXPECT_EQ(find_key(files_, "/c/a.pem", leaf()), "/c/zz");
  ASSERT_TRUE(files_.remove("/c/zz"));
  EXPECT_EQ(find_key(files_, "/c/a.pem", leaf()), "/c/a.key") << "for preflight to refuse by name";
  ASSERT_TRUE(files_.remove("/c/a.key"));
  EXPECT_EQ(find_key(files_, "/c/a.pem", leaf()), std::nullopt);
}

}  // namespace
}  // namespace certrebind
