#include "cli/event_filter.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

const Event kRolledBack = {.id = EventId::rolled_back,
                           .at = test_now(),
                           .service = "fake:/f",
                           .old_thumbprint = std::string(64, 'a'),
                           .new_thumbprint = std::string(64, 'b'),
                           .names = {"*.a.test", "b.test"}};

TEST(EventFilter, WithoutConditionsAllPass) {
  EXPECT_TRUE(passes({}, kRolledBack));
}

TEST(EventFilter, ByEitherThumbprint) {
  EXPECT_TRUE(passes({.thumbprint = "aaaaaaaa"}, kRolledBack));
  EXPECT_TRUE(passes({.thumbprint = "bbbbbbbb"}, kRolledBack));
  EXPECT_FALSE(passes({.thumbprint = "cccccccc"}, kRolledBack));
}

TEST(EventFilter, ByNameAlsoUnderAWildcard) {
  EXPECT_TRUE(passes({.site = "b.test"}, kRolledBack));
  EXPECT_TRUE(passes({.site = "*.a.test"}, kRolledBack));
  EXPECT_TRUE(passes({.site = "www.a.test"}, kRolledBack));
  EXPECT_FALSE(passes({.site = "c.test"}, kRolledBack));
}

TEST(EventFilter, ByLevelAndWorse) {
  EXPECT_TRUE(passes({.least = EventLevel::warning}, kRolledBack));
  EXPECT_FALSE(passes({.least = EventLevel::warning}, {.id = EventId::committed}));
}

TEST(EventFilter, ByTimeAndService) {
  EXPECT_TRUE(passes({.since = test_now()}, kRolledBack));
  EXPECT_FALSE(passes({.since = test_now() + std::chrono::seconds(1)}, kRolledBack));
  EXPECT_TRUE(passes({.services = {{"fake", "/f"}}}, kRolledBack));
  EXPECT_FALSE(passes({.services = {{"fake", "/g"}}}, kRolledBack));
}

}  // namespace
}  // namespace certrebind
