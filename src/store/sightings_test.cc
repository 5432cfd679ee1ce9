#include "store/sightings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

TEST(Sightings, AreRememberedOnce) {
  FakeHost host;
  Database& database = host.state().database();
  EXPECT_TRUE(remembered(database)->empty());
  const TestCertificate &old_one = host.old_ones[0], &new_one = host.new_ones[0];
  Sighting first{"/c/\xff.pem", old_one.thumbprint, old_one.der};
  ASSERT_TRUE(remember(database, {first, first}, test_now()));
  ASSERT_TRUE(remember(database, {first}, test_now() + milliseconds(5)));
  // The path holds another certificate now; the old one must stay recorded.
  ASSERT_TRUE(remember(database, {{first.path, new_one.thumbprint, new_one.der}}, test_now()));
  auto all = remembered(database);
  ASSERT_EQ(all->size(), 2U);
  for (const Sighting& seen : *all) {
    EXPECT_EQ(seen.path, first.path);
    EXPECT_EQ(seen.thumbprint, Thumbprint::of_der(seen.der));
    EXPECT_EQ(seen.der, seen.thumbprint == old_one.thumbprint ? old_one.der : new_one.der);
  }
  EXPECT_EQ(database.handle()
                .execAndGet("SELECT first_ms FROM sightings WHERE thumbprint = '" +
                            old_one.thumbprint.hex() + "'")
                .getInt64(),
            test_now().time_since_epoch().count());
}

// Callers use the order to find the last certificate of a path.
TEST(Sightings, ComeInTheOrderOfTheirFirstTime) {
  FakeHost host;
  Database& database = host.state().database();
  std::vector<Thumbprint> order;
  for (int i = 0; i < 8; ++i) {
    Thumbprint each = Thumbprint::of_der(std::to_string(i));
    order.push_back(each);
    ASSERT_TRUE(remember(database, {{"/c.pem", each, "der"}}, test_now() + milliseconds(i)));
  }
  std::vector<Thumbprint> found;
  auto all = remembered(database);
  for (const Sighting& seen : *all) found.push_back(seen.thumbprint);
  EXPECT_EQ(found, order);
}

TEST(Sightings, NothingToRememberIsNoError) {
  FakeHost host;
  EXPECT_TRUE(remember(host.state().database(), {}, test_now()));
}

}  // namespace
}  // namespace certrebind
