#include "service/haproxy/sni.h"

#include <gtest/gtest.h>

namespace certrebind::haproxy {
namespace {

using Names = std::vector<std::string>;
constexpr auto kEc = KeyType::ecdsa;
constexpr auto kRsa = KeyType::rsa;

TEST(HaproxySni, ExactBeforeWildcardAndTheFirstOfAType) {
  std::vector<Candidate> all = {{{"*.a.test", "a.test"}, {}, kEc},
                                {{"w.a.test"}, {}, kEc},
                                {{"w.a.test"}, {}, kEc},
                                {{"*.a.test"}, {}, kRsa}};
  SniTable table(all);
  EXPECT_EQ(table.find("w.a.test", kEc), 1U);
  EXPECT_EQ(table.find("w.a.test", kRsa), 3U);  // no exact one of this type
  EXPECT_EQ(table.find("x.a.test", kEc), 0U);
  EXPECT_EQ(table.find("y.x.a.test", kEc), std::nullopt);  // one label only
  EXPECT_EQ(table.find("a.test", kEc), 0U);
  EXPECT_EQ(table.find("b.test", kEc), std::nullopt);
}

TEST(HaproxySni, AnExclusionTakesAwayItsOwnWildcardsOnly) {
  std::vector<Candidate> all = {{{"*.a.test"}, {"w.a.test"}, kEc}, {{"*.a.test"}, {}, kEc}};
  SniTable table(all);
  EXPECT_EQ(table.find("w.a.test", kEc), 1U);
  EXPECT_EQ(table.find("x.a.test", kEc), 0U);
}

// A client that takes both types is shown the ECDSA one, whichever has the name itself.
TEST(HaproxySni, AWildcardOfAnotherTypeSharesANameOfItsOwn) {
  std::vector<Candidate> all = {{{"a.test"}, {}, kRsa},
                                {{"*.test"}, {}, kEc},
                                {{"b.test"}, {}, kEc},
                                {{"c.test"}, {}, kRsa},
                                {{"*.test"}, {}, kEc}};
  all[1].excluded = {"c.test"};
  SniTable table(all);
  EXPECT_EQ(probe_names(all, 1, table), (Names{"a.test", "certrebind-probe.test"}));
  EXPECT_EQ(probe_names(all, 4, table), Names{"c.test"});
  EXPECT_EQ(probe_names(all, 0, table), Names{"a.test"});
  EXPECT_EQ(probe_names(all, 2, table), Names{"b.test"});
}

TEST(HaproxySni, ProbesLeadToTheirCandidate) {
  std::vector<Candidate> all = {{{"*.a.test", "w.a.test", "192.0.2.1", "bad name", "*"}, {}, kEc},
                                {{"w.a.test", "*.a.test"}, {}, kEc},
                                {{"certrebind-probe.a.test"}, {}, kEc}};
  SniTable table(all);
  EXPECT_EQ(probe_names(all, 0, table), (Names{"certrebind-probe1.a.test", "w.a.test"}));
  EXPECT_EQ(probe_names(all, 1, table), Names{});
  EXPECT_EQ(probe_names(all, 2, table), Names{"certrebind-probe.a.test"});
}

}  // namespace
}  // namespace certrebind::haproxy
