#include "plan/file_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"
#include "x509/pem.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDh =
    "-----BEGIN DH PARAMETERS-----\nMAYCAQICAQI=\n-----END DH PARAMETERS-----\n";

class FileSetTest : public ::testing::Test {
 protected:
  FileSetTest() {
    new_one_.bundle = Bundle::parse(new_.chain_pem).value();
    new_one_.key_blocks = new_.key_pem;
    binding_.certificate.path = "/s/cert.pem";
    binding_.key.path = "/s/key.pem";
  }
  // An edit of /c as it is now.
  FileEdit edit_of(size_t begin, size_t end, const std::string& replacement) {
    std::string text = files_.read("/c", kConfigLimit).value_or("");
    std::string expected = begin < text.size() ? text.substr(begin, end - begin) : "";
    return {
        {.file = "/c", .begin = begin, .end = end, .line = 1, .column = 1}, expected, replacement};
  }
  // What the certificate's file becomes, alone or with its key.
  std::string rewritten(const std::string& before) {
    files_.put("/s/cert.pem", before);
    binding_.key.path = "/s/cert.pem";
    FileSet set(files_);
    EXPECT_TRUE(set.rewrite(binding_, new_one_));
    return set.finish()->at(0).after;
  }
  TestAuthority root_;
  TestAuthority issuer_ = root_.intermediate("Test Intermediate");
  TestCertificate old_ = issuer_.issue();
  TestCertificate new_ = issuer_.issue();
  NewCertificate new_one_;
  Binding binding_;
  MemoryFiles files_;
};

TEST_F(FileSetTest, EditsByteRangesOnly) {
  files_.put("/c", std::string("a old1;\r\n\xff old2\0 end", 20));
  FileSet set(files_);
  ASSERT_TRUE(set.edit({edit_of(11, 15, "n2"), edit_of(2, 6, "longer1")}));
  auto planned = set.finish();
  ASSERT_TRUE(planned);
  ASSERT_EQ(planned->size(), 1U);
  EXPECT_EQ(planned->at(0).after, std::string("a longer1;\r\n\xff n2\0 end", 21));
  EXPECT_FALSE(planned->at(0).secret);
  EXPECT_TRUE(set.edits_span({.file = "/c", .begin = 2, .end = 6}));
  EXPECT_FALSE(set.edits_span({.file = "/c", .begin = 3, .end = 6}));
}

TEST_F(FileSetTest, TheSameEditTwiceIsOne) {
  files_.put("/c", "old");
  FileSet set(files_);
  ASSERT_TRUE(set.edit({edit_of(0, 3, "new"), edit_of(0, 3, "new")}));
  EXPECT_EQ(set.finish()->at(0).after, "new");
}

TEST_F(FileSetTest, EditsThatContradictAreAnError) {
  files_.put("/c", "old one");
  FileSet different(files_);
  EXPECT_FALSE(different.edit({edit_of(0, 3, "new"), edit_of(0, 3, "other")}));
  FileSet longer(files_);
  EXPECT_FALSE(longer.edit({edit_of(0, 3, "new"), edit_of(0, 4, "new")}));
  FileSet overlapping(files_);
  EXPECT_FALSE(overlapping.edit({edit_of(0, 3, "new"), edit_of(2, 5, "x")}) &&
               overlapping.finish());
  FileSet outside(files_);
  EXPECT_FALSE(outside.edit({edit_of(5, 50, "x")}) && outside.finish());
  FileSet missing(files_);
  FileEdit elsewhere = edit_of(0, 1, "x");
  elsewhere.where.file = "/none";
  EXPECT_FALSE(missing.edit({elsewhere}) && missing.finish());
}

TEST_F(FileSetTest, RewritesCertificateAndKeyApart) {
  files_.put("/s/cert.pem", old_.chain_pem);
  files_.put("/s/key.pem", old_.key_pem);
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  auto planned = set.finish();
  ASSERT_EQ(planned->size(), 2U);
  EXPECT_EQ(planned->at(0).after, new_.chain_pem);
  EXPECT_EQ(planned->at(1).after, new_.key_pem);
  EXPECT_THAT(planned->at(1).what, HasSubstr("private key"));
  EXPECT_TRUE(planned->at(0).secret && planned->at(1).secret);
  EXPECT_TRUE(set.rewrites_any());
  EXPECT_TRUE(set.rewrites("/s/key.pem"));
}

TEST_F(FileSetTest, IntermediatesApartAreRewrittenApart) {
  files_.put("/s/cert.pem", "before");
  files_.put("/s/key.pem", old_.key_pem);
  files_.put("/s/chain.pem", "before");
  binding_.chain.path = "/s/chain.pem";
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  auto planned = set.finish();
  ASSERT_EQ(planned->size(), 3U);
  EXPECT_EQ(planned->at(0).after + planned->at(1).after, new_.chain_pem);
  files_.put("/s/chain.pem", planned->at(1).after);
  FileSet again(files_);
  ASSERT_TRUE(again.rewrite(binding_, new_one_));
  EXPECT_EQ(again.finish()->size(), 2U) << "what stays as it is is nobody's business";
}

TEST_F(FileSetTest, ACombinedFileKeepsItsOrder) {
  EXPECT_EQ(rewritten(old_.chain_pem + old_.key_pem), new_.chain_pem + new_.key_pem);
  EXPECT_EQ(rewritten(old_.key_pem + old_.chain_pem), new_.key_pem + new_.chain_pem);
}

TEST_F(FileSetTest, OtherBlocksStay) {
  EXPECT_EQ(rewritten(old_.chain_pem + old_.key_pem + kDh), new_.chain_pem + new_.key_pem + kDh);
}

TEST_F(FileSetTest, AKeyInTheCertificatesFileIsKeptInStep) {
  files_.put("/s/cert.pem", old_.combined());
  files_.put("/s/key.pem", old_.key_pem);
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  EXPECT_EQ(set.finish()->at(0).after, new_.combined());
}

TEST_F(FileSetTest, ACertificateFileGetsNoKeyThatItHadNot) {
  files_.put("/s/cert.pem", old_.chain_pem);
  files_.put("/s/key.pem", old_.key_pem);
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  EXPECT_EQ(set.finish()->at(0).after.find("PRIVATE KEY"), std::string::npos);
}

TEST_F(FileSetTest, LinksLeadToWhatIsRewritten) {
  files_.put("/real/cert.pem", old_.chain_pem);
  files_.put("/real/key.pem", old_.key_pem);
  files_.put_link("/s/cert.pem", "/real/cert.pem");
  files_.put_link("/s/key.pem", "../real/key.pem");
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  EXPECT_EQ(set.finish()->at(0).path, "/real/cert.pem");
  EXPECT_TRUE(set.rewrites("/real/key.pem"));
}

TEST_F(FileSetTest, TwoThatNeedDifferentContentAreAnError) {
  files_.put("/s/cert.pem", old_.chain_pem);
  files_.put("/s/key.pem", old_.key_pem);
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  ASSERT_TRUE(set.rewrite(binding_, new_one_)) << "the same twice is one";
  NewCertificate other = new_one_;
  other.bundle = Bundle::parse(old_.chain_pem).value();
  EXPECT_FALSE(set.rewrite(binding_, other));
}

TEST_F(FileSetTest, WhatBelongsToTheOldCertificateAloneGoes) {
  files_.put("/s/cert.pem", old_.combined());
  files_.put("/s/cert.pem.ocsp", "response");
  files_.put("/s/cert.pem.sctl", "list");
  files_.put("/s/cert.pem.issuer", TestAuthority("Another").issue().root_pem);
  binding_.key.path = binding_.certificate.path;
  binding_.companions = {{Companion::Kind::ocsp_response, "/s/cert.pem.ocsp"},
                         {Companion::Kind::timestamps, "/s/cert.pem.sctl"},
                         {Companion::Kind::issuer, "/s/cert.pem.issuer"}};
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  std::vector<PlannedFile> files = set.finish().value();
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[1].after, pem_encode_certificate(new_one_.bundle.chain.front().der));
  EXPECT_EQ(files[2].after, "");
  EXPECT_THAT(files[2].note, HasSubstr("/s/cert.pem.ocsp is emptied"));
  EXPECT_EQ(files[3].after, std::string(2, '\0'));
}

TEST_F(FileSetTest, WhatIsRightBesideTheNewOneStays) {
  files_.put("/s/cert.pem", old_.combined());
  files_.put("/s/cert.pem.ocsp", "");
  files_.put("/s/cert.pem.issuer", pem_encode_certificate(new_one_.bundle.chain.front().der));
  binding_.key.path = binding_.certificate.path;
  binding_.companions = {{Companion::Kind::ocsp_response, "/s/cert.pem.ocsp"},
                         {Companion::Kind::issuer, "/s/cert.pem.issuer"}};
  FileSet set(files_);
  ASSERT_TRUE(set.rewrite(binding_, new_one_));
  EXPECT_EQ(set.finish()->size(), 1U);
}

}  // namespace
}  // namespace certrebind
