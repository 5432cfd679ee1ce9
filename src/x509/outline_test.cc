// Compares the fast parser with OpenSSL, and runs it on malicious bytes.
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"
#include "x509/certificate.h"
#include "x509/openssl.h"
#include "x509/pem.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

std::string openssl_serial(X509* x509) {
  OpensslPtr<BIGNUM, BN_free> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), nullptr));
  char* hex = BN_bn2hex(number.get());
  std::string text = to_lower(hex);
  OPENSSL_free(hex);
  return text;
}

std::string openssl_common_name(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  std::string text(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

WallTime openssl_time(const ASN1_TIME* time) {
  tm parts{};
  EXPECT_EQ(ASN1_TIME_to_tm(time, &parts), 1);
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

// All properties that both provide must agree.
void expect_same_as_openssl(const std::string& der) {
  auto outline = outline_of(der);
  ASSERT_TRUE(outline) << outline.error().message();
  X509Ptr x509 = x509_of(der);
  ASSERT_TRUE(x509);
  EXPECT_EQ(outline->serial, openssl_serial(x509.get()));
  EXPECT_EQ(outline->subject, openssl_common_name(X509_get_subject_name(x509.get())));
  EXPECT_EQ(outline->issuer, openssl_common_name(X509_get_issuer_name(x509.get())));
  EXPECT_EQ(outline->not_before, openssl_time(X509_get0_notBefore(x509.get())));
  EXPECT_EQ(outline->not_after, openssl_time(X509_get0_notAfter(x509.get())));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(x509.get(), EVP_sha256(), digest, &size);
  EXPECT_EQ(outline->thumbprint.hex(), to_hex({reinterpret_cast<char*>(digest), size}));
  X509_digest(x509.get(), EVP_sha1(), digest, &size);
  EXPECT_EQ(sha1_thumbprint(der), to_hex({reinterpret_cast<char*>(digest), size}));
  for (const std::string& name : outline->names)
    EXPECT_TRUE(X509_check_host(x509.get(), name.c_str(), name.size(), 0, nullptr) == 1 ||
                X509_check_ip_asc(x509.get(), name.c_str(), 0) == 1)
        << name;
}

TEST(Outline, AgreesWithOpensslOnManyCertificates) {
  TestAuthority ca;
  std::vector<TestRequest> requests = {
      {},
      {.names = {"A.Example.test", "*.example.test", "192.0.2.1", "2001:db8::1:0:0:1", "::1"}},
      {.names = {"::"}},
      {.names = {"x.test"}, .subject_alt_name = false},
      {.names = {"p.test"}, .string_type = V_ASN1_PRINTABLESTRING},
      {.names = {"b.test"}, .common_name = "Bücher €", .string_type = V_ASN1_BMPSTRING},
      {.names = {"u.test"},
       .common_name = "Bücher \U0001F4D6",
       .string_type = V_ASN1_UNIVERSALSTRING},
      {.names = {"t.test"}, .common_name = "Bücher", .string_type = V_ASN1_T61STRING},
      {.names = {"i.test"}, .string_type = V_ASN1_IA5STRING},
      {.not_before = sys_days(year(1951) / 2 / 3), .not_after = sys_days(year(2051) / 12 / 31)},
      {.not_after = sys_days(year(9999) / 12 / 31) + std::chrono::seconds(86399)},
      {.not_after = sys_days(year(2049) / 12 / 31) + std::chrono::seconds(86399)},
      {.key = TestKey::rsa2048},
      {.key = TestKey::ed25519, .ca = true, .must_staple = true},
  };
  for (const char* serial : {"0", "1", "7f", "80", "ff", "0100", "-1", "-7f", "-80", "-81", "-ff",
                             "-0100", "-8000", "ffffffffffffffffffffffffffffffffffffffff"})
    requests.push_back({.serial = serial});
  for (const TestRequest& request : requests) {
    SCOPED_TRACE(request.serial + " " + request.common_name);
    expect_same_as_openssl(ca.issue(request).der);
  }
}

TEST(Outline, ShowsNamesLowerCaseAndAddressesAsText) {
  TestCertificate made = TestAuthority().issue(
      {.names = {"WWW.Example.test", "192.0.2.7", "2001:db8:0:0:1:0:0:1", "::ffff:1.2.3.4"}});
  auto outline = outline_of(made.der);
  ASSERT_TRUE(outline);
  EXPECT_EQ(outline->names, (std::vector<std::string>{"www.example.test", "192.0.2.7",
                                                      "2001:db8::1:0:0:1", "::ffff:1.2.3.4"}));
  EXPECT_FALSE(outline->self_issued);
  EXPECT_EQ(outline->issuer, "Test Root");
}

TEST(Outline, TakesTheCommonNameOnlyWithoutAlternativeNames) {
  TestAuthority ca;
  auto plain = outline_of(ca.issue({.names = {"Cn.test"}, .subject_alt_name = false}).der);
  EXPECT_EQ(plain->names, std::vector<std::string>{"cn.test"});
  auto both = outline_of(ca.issue({.names = {"san.test"}, .common_name = "cn.test"}).der);
  EXPECT_EQ(both->names, std::vector<std::string>{"san.test"});
}

TEST(Outline, KnowsASelfIssuedOne) {
  EXPECT_TRUE(outline_of(self_signed().der)->self_issued);
}

TEST(Outline, RefusesEveryTruncation) {
  std::string der = TestAuthority().issue({.names = {"a.test", "::1"}}).der;
  for (size_t size = 0; size < der.size(); ++size) {
    std::string cut = der.substr(0, size);  // a copy, so that a sanitizer sees every overrun
    EXPECT_FALSE(outline_of(cut)) << size;
  }
  EXPECT_FALSE(outline_of(der + '\0'));
}

TEST(Outline, SurvivesEveryFlippedByte) {
  std::string der = TestAuthority().issue({.names = {"a.test", "192.0.2.1"}}).der;
  for (size_t at = 0; at < der.size(); ++at) {
    for (int mask : {0x01, 0x02, 0x20, 0x7F, 0x80, 0xFF}) {
      std::string flipped = der;
      flipped[at] = static_cast<char>(flipped[at] ^ mask);
      (void)outline_of(flipped);
      (void)Certificate::parse(flipped);
    }
  }
}

TEST(Outline, SurvivesLengthsThatLie) {
  std::string der = TestAuthority().issue().der;
  for (size_t at = 1; at + 5 < der.size(); ++at)
    for (const char* length :
         {"\x84\xff\xff\xff\xff", "\x84\x7f\xff\xff\xff", "\x80\x80\x80\x80\x80",
          "\x88\xff\xff\xff\xff", "\x83\xff\xff\xff\x00"}) {
      std::string lying = der;
      lying.replace(at, 5, std::string(length, 5));
      (void)outline_of(lying);
    }
}

}  // namespace
}  // namespace certrebind
