#include "store/risk.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(Risk, NamesThereAndBack) {
  const Risks all = {Risk::shorter, Risk::name_lost, Risk::weaker_key, Risk::chain};
  EXPECT_EQ(risks_named(to_text(all)), all);
  EXPECT_EQ(risks_named(""), Risks());
  EXPECT_EQ(risks_named("chain unheard-of"), Risks{Risk::chain});
  EXPECT_EQ(risk_named("all"), std::nullopt);
  EXPECT_EQ(all_risks(), "shorter, name-lost, weaker-key, chain");
}

}  // namespace
}  // namespace certrebind
