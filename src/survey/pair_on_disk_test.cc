#include "survey/pair_on_disk.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

class PairOnDiskTest : public ::testing::Test {
 protected:
  // All sites use the files of the first one.
  void SetUp() override {
    std::string lines;
    for (size_t i = 0; i < host_.sites.size(); ++i)
      lines += "site " + host_.sites[i] + " " + std::to_string(host_.port(i)) + " " +
               host_.certificate_path(0) + " " + host_.key_path(0) + "\n";
    host_.files.put(kFakeConfig, lines);
    survey_ = host_.survey();
  }

  FakeHost host_{{"a.test", "b.test"}};
  Survey survey_;
};

TEST_F(PairOnDiskTest, TellsWhatTheFilesHold) {
  PairOnDisk pair(survey_.bindings[0]);
  ASSERT_NE(pair.leaf(), nullptr);
  EXPECT_EQ(pair.leaf()->outline.thumbprint, host_.old_ones[0].thumbprint);
  ASSERT_TRUE(pair.bundle());
  EXPECT_EQ(pair.chain().size(), pair.bundle()->chain.size());
  EXPECT_EQ(pair.key(), KeyState::matches);
  EXPECT_EQ(pair.tried_key(), KeyState::matches);
  host_.files.put(host_.key_path(0), host_.new_ones[0].key_pem);
  EXPECT_EQ(PairOnDisk(survey_.bindings[0]).tried_key(), KeyState::of_another);
}

TEST_F(PairOnDiskTest, ASeparateFileHoldsTheChain) {
  SurveyedBinding& bound = survey_.bindings[0];
  bound.binding.chain.path = "/etc/fake/chain.pem";
  EXPECT_TRUE(PairOnDisk(bound).chain().empty()) << "it is not there";
  host_.files.put("/etc/fake/chain.pem", host_.new_ones[1].chain_pem);
  PairOnDisk pair(bound);
  ASSERT_FALSE(pair.chain().empty());
  EXPECT_EQ(pair.chain()[0].outline.thumbprint, host_.new_ones[1].thumbprint);
}

TEST_F(PairOnDiskTest, IsReadOnceForAllSites) {
  PairOnDisk& pair = survey_.pairs->of(survey_.bindings[0]);
  ASSERT_TRUE(pair.bundle());
  host_.files.put(host_.certificate_path(0), host_.new_ones[0].chain_pem);
  PairOnDisk& other = survey_.pairs->of(survey_.bindings[1]);
  EXPECT_EQ(&other, &pair);
  EXPECT_EQ(other.bundle()->leaf.outline.thumbprint, host_.old_ones[0].thumbprint);
}

}  // namespace
}  // namespace certrebind
