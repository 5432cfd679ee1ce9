#include "x509/mention.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "x509/certificate.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

class Mention : public testing::Test {
 protected:
  static constexpr WallTime kEnd =
      std::chrono::sys_days(std::chrono::year(2031) / 2 / 3) + std::chrono::seconds(45296);
  TestAuthority authority_;
  TestCertificate certificate_ =
      authority_.issue({.not_after = kEnd, .serial = "00AB12CD34EF567890"});
};

TEST_F(Mention, IsFoundInEachForm) {
  const std::string hex = certificate_.thumbprint.hex();
  for (const std::string& text :
       {"loaded:\n" + certificate_.chain_pem, "SHA256=" + hex, sha1_thumbprint(certificate_.der),
        std::string("Serial: AB:12:CD:34:EF:56:78:90"),
        std::string("Ssl_server_not_after\tFeb  3 12:34:56 2031 GMT\n"),
        std::string("{\"expiration_time\": \"2031-02-03T12:34:56Z\"}")})
    EXPECT_TRUE(names_certificate(text, certificate_.der)) << text;
}

TEST_F(Mention, IsNotFoundWhereAnotherIsNamed) {
  const TestCertificate other = authority_.issue({});
  for (const std::string& text : {other.chain_pem, other.thumbprint.hex(), std::string(),
                                  std::string("Feb  3 12:34:57 2031 GMT"), std::string("AB:12")})
    EXPECT_FALSE(names_certificate(text, certificate_.der)) << text;
  EXPECT_FALSE(names_certificate("", "no certificate"));
}

TEST_F(Mention, AShortSerialNumberTellsNone) {
  const TestCertificate first = authority_.issue({.serial = "01"});
  EXPECT_FALSE(names_certificate("version 1.01", first.der));
}

}  // namespace
}  // namespace certrebind
