#include "cli/since.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

// test_now: 2026-01-01 00:00:00 UTC
std::string parsed(const std::string& typed) {
  auto time = parse_since(typed, test_now());
  return time ? to_rfc3339(*time) : time.error().cause;
}

TEST(Since, HowLongAgo) {
  EXPECT_EQ(parsed("2h"), "2025-12-31T22:00:00Z");
  EXPECT_EQ(parsed("3d"), "2025-12-29T00:00:00Z");
}

TEST(Since, Rfc3339) {
  EXPECT_EQ(parsed("2026-11-22T09:00:00Z"), "2026-11-22T09:00:00Z");
  EXPECT_EQ(parsed("2026-11-22T09:00:00.123+01:30"), "2026-11-22T07:30:00Z");
  EXPECT_EQ(parsed("2026-11-22T23:00:00-02:00"), "2026-11-23T01:00:00Z");
}

TEST(Since, ALocalDate) {
  ::setenv("TZ", "Europe/Berlin", 1);
  EXPECT_EQ(parsed("2026-11-22"), "2026-11-21T23:00:00Z");
  ::unsetenv("TZ");
}

TEST(Since, AnythingElseIsRefused) {
  for (const char* typed : {"", "2", "yesterday", "2026-13-01", "2026-02-30", "2026-11-22T",
                            "2026-11-22T09:00:00", "2026-11-22T25:00:00Z", "2026-11-22T09:00:00.",
                            "2026-11-22T09:00:00+1", "2026-1-22", "-2026-11-2"})
    EXPECT_EQ(parsed(typed), "that is no time") << typed;
}

}  // namespace
}  // namespace certrebind
