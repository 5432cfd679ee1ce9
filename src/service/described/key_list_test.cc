#include "service/described/key_list.h"

#include <gtest/gtest.h>

#include "sys/memory_files.h"
#include "x509/testing.h"

namespace certrebind::described {
namespace {

class KeyListTest : public testing::Test {
 protected:
  // Puts the file there, and names it in the list.
  void name(const std::string& path, const std::string& text) {
    files_.put(path, text);
    list_.push_back({path, path});
  }
  KeyList keys(bool anywhere, std::vector<NamedPath> of_their_own = {}) {
    return {list_, std::move(of_their_own), anywhere, root_};
  }
  static std::string path_of(const std::optional<NamedPath>& found) {
    return found ? found->path : "";
  }

  TestAuthority authority_;
  TestCertificate a_ = authority_.issue({.names = {"a.test"}});
  TestCertificate b_ = authority_.issue({.names = {"b.test"}});
  MemoryFiles files_;
  Root root_{"/", files_};
  std::vector<NamedPath> list_;
};

TEST_F(KeyListTest, FindsAKeyWhereverItIs) {
  name("/keys/b", b_.key_pem);
  name("/keys/a", a_.key_pem);
  name("/certs/a", a_.pem);
  name("/certs/b", b_.pem);
  const KeyList found = keys(true);
  EXPECT_EQ(path_of(found.of(2)), "/keys/a");
  EXPECT_EQ(path_of(found.of(3)), "/keys/b");
  EXPECT_TRUE(found.is_key(0) && found.is_key(1) && !found.is_key(2));
}

TEST_F(KeyListTest, TakesTheCopyBesideTheCertificate) {
  name("/archive/a.key", a_.key_pem);
  name("/live/a.pem", a_.pem);
  name("/live/a.key", a_.key_pem);
  EXPECT_EQ(path_of(keys(true).of(1)), "/live/a.key");
}

TEST_F(KeyListTest, BetweenTwoWritesItIsTheNeighbourThatFitsNoOther) {
  name("/a", a_.pem);
  name("/a.key", a_.key_pem);
  name("/b", authority_.issue({.names = {"b.test"}}).pem);
  name("/b.key", b_.key_pem);
  const KeyList found = keys(true);
  EXPECT_EQ(path_of(found.of(0)), "/a.key");
  EXPECT_EQ(path_of(found.of(2)), "/b.key");
}

TEST_F(KeyListTest, OtherwiseItStandsBeforeItsCertificate) {
  name("/a.key", a_.key_pem);
  name("/b", b_.pem);
  name("/b.key", b_.key_pem);
  const KeyList found = keys(false);
  EXPECT_EQ(path_of(found.of(1)), "/a.key");
}

TEST_F(KeyListTest, AListOfKeysGoesByPlaces) {
  list_ = {{"", ""}, {"/b", "/b"}};
  EXPECT_EQ(path_of(keys(false, {{"/a.key", ""}, {"/b.key", ""}}).of(1)), "/b.key");
}

TEST_F(KeyListTest, FindsIssuersOfACertificateThatIsAlone) {
  const TestAuthority intermediate = authority_.intermediate("Intermediate");
  const TestCertificate leaf = intermediate.issue({.names = {"a.test"}});
  name("/live/cert", leaf.pem);
  name("/live/chain", leaf.chain_pem.substr(leaf.pem.size()));
  name("/live/fullchain", leaf.chain_pem);
  name("/live/key", leaf.key_pem);
  const KeyList found = keys(true);
  EXPECT_EQ(path_of(found.chain_of(0)), "/live/chain");
  EXPECT_EQ(path_of(found.chain_of(2)), "");
  EXPECT_EQ(path_of(found.of(0)), "/live/key");
  EXPECT_EQ(path_of(keys(false).chain_of(0)), "");
}

}  // namespace
}  // namespace certrebind::described
