#include "cli/output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using std::chrono::days;
using std::chrono::hours;

TEST(ExpiryText, InDaysHoursOrAgo) {
  WallTime now = test_now();
  EXPECT_EQ(expiry_text(now + days(59), now), "2026-03-01 (59 days)");
  EXPECT_EQ(expiry_text(now + hours(47), now), "2026-01-02 (47 hours)");
  EXPECT_EQ(expiry_text(now + hours(48), now), "2026-01-03 (2 days)");
  EXPECT_EQ(expiry_text(now - days(3), now), "2025-12-29 (expired 3 days ago)");
  EXPECT_EQ(expiry_text(now - days(1), now), "2025-12-31 (expired 1 day ago)");
}

TEST(DaysLeft, RoundsDown) {
  WallTime now = test_now();
  EXPECT_EQ(days_left(now + hours(47), now), 1);
  EXPECT_EQ(days_left(now, now), 0);
  EXPECT_EQ(days_left(now - hours(1), now), -1);
}

TEST(NamesText, TheFirstAndHowManyMore) {
  EXPECT_EQ(names_text({}), "-");
  EXPECT_EQ(names_text({"a"}), "a");
  EXPECT_EQ(names_text({"a", "b"}), "a, b");
  EXPECT_EQ(names_text({"a", "b", "c", "d"}), "a, b +2");
  EXPECT_EQ(names_text({"a\x1b[2J"}), "a\\x1b[2J");
}

TEST(EndpointsText, EachListenerOnce) {
  Binding binding;
  EXPECT_EQ(endpoints_text(binding), "-");
  for (const char* listens : {"*:443", "[::]:443", "*:443"}) {
    binding.endpoints.emplace_back();
    binding.endpoints.back().listens = listens;
  }
  EXPECT_EQ(endpoints_text(binding), "*:443 [::]:443");
}

TEST(ToJson, OfACertificate) {
  TestCertificate certificate = TestAuthority().issue({.names = {"a.test", "b.test"}});
  CertificateOutline outline = outline_of(certificate.der).value();
  Json json = to_json(outline, certificate.der, test_now());
  EXPECT_EQ(json["thumbprint"], certificate.thumbprint.hex());
  EXPECT_EQ(json["sha1"], sha1_thumbprint(certificate.der));
  EXPECT_EQ(json["issued_to"], "a.test");
  EXPECT_EQ(json["issued_by"], "Test Root");
  EXPECT_EQ(json["names"], (Json{"a.test", "b.test"}));
  EXPECT_EQ(json["not_after"], "2049-01-01T00:00:00Z");
  EXPECT_EQ(json["days_left"], 8401);
}

TEST(ToJson, OfABindingWithHostileBytes) {
  Binding binding;
  binding.site = "a\x1b\xff";
  binding.certificate = {
      "/c/\xfe.pem", {.file = "/etc/f", .begin = 1, .end = 2, .line = 3, .column = 4}, "/c"};
  binding.role = Role::client;
  Json json = to_json(binding);
  EXPECT_EQ(json["site"], "a\\x1b\\xff");
  EXPECT_EQ(json["certificate_path"], "/c/\\xfe.pem");
  EXPECT_EQ(json["role"], "client");
  EXPECT_EQ(json["line"], 3);
  EXPECT_NO_THROW((void)json.dump()) << "all of it is UTF-8";
}

TEST(ToJson, OfAnAccount) {
  Json json = to_json(TransactionResult{.transaction = 7,
                                        .service = {"fake", "/f"},
                                        .outcome = Outcome::rolled_back,
                                        .owed = false,
                                        .text = "one\ntwo"});
  EXPECT_EQ(json["service"], "fake:/f");
  EXPECT_EQ(json["outcome"], "rolled back");
  EXPECT_EQ(json["account"], (Json{"one", "two"}));
}

TEST(ToJson, OfDiagnostics) {
  Json json = to_json(std::vector<Diagnostic>{
      {.severity = Severity::error, .file = "/f", .line = 2, .column = 3, .message = "look"}});
  EXPECT_EQ(json[0]["severity"], "error");
  EXPECT_EQ(json[0]["line"], 2);
}

TEST(Coloured, OnTerminalsOnly) {
  EXPECT_EQ(coloured(Colour::red, "x"), "x");
}

}  // namespace
}  // namespace certrebind
