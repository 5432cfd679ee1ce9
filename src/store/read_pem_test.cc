#include "store/read_pem.h"

#include <gtest/gtest.h>

#include "base/secret.h"
#include "sys/memory_files.h"
#include "x509/bundle.h"
#include "x509/key.h"
#include "x509/pkcs12.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

class ReadPemTest : public testing::Test {
 protected:
  std::string sealed(const std::string& password) {
    return *write_pkcs12(*Bundle::parse(leaf_.chain_pem), leaf_.key_pem, "x",
                         Secret(std::string(password)));
  }
  TestCertificate leaf_ = TestAuthority().intermediate("Between").issue({.names = {"a.test"}});
  MemoryFiles files_;
};

TEST_F(ReadPemTest, Pkcs12WithoutAPasswordBecomesPem) {
  files_.put("/a.p12", sealed(""));
  const std::string pem = *read_pem(files_, "/a.p12");
  auto bundle = Bundle::parse(pem);
  ASSERT_TRUE(bundle) << bundle.error().message();
  EXPECT_EQ(bundle->leaf.outline.thumbprint, leaf_.thumbprint);
  EXPECT_EQ(bundle->chain.size(), 1U);
  EXPECT_EQ(key_state(pem, bundle->leaf), KeyState::matches);
}

TEST_F(ReadPemTest, OtherFilesStayAsTheyAre) {
  files_.put("/a.pem", "text\n" + leaf_.combined());
  EXPECT_EQ(*read_pem(files_, "/a.pem"), "text\n" + leaf_.combined());
  EXPECT_FALSE(read_pem(files_, "/none"));
}

TEST_F(ReadPemTest, SaysWhyThereIsNoCertificate) {
  files_.put("/secret.p12", sealed("secret"));
  EXPECT_EQ(
      why_no_certificate(*read_pem(files_, "/secret.p12")),
      "it is a PKCS #12 file under a password, or of another user, which certrebind does not read");
  EXPECT_EQ(why_no_certificate("\xfe\xed\xfe\xed..."),
            "it is a Java keystore, which certrebind neither reads nor writes");
  EXPECT_EQ(why_no_certificate("x"), "it holds no certificate");
}

}  // namespace
}  // namespace certrebind
