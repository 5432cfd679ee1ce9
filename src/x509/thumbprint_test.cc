#include "x509/thumbprint.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace certrebind {
namespace {

const std::string kSha256OfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string kSha1OfAbc = "a9993e364706816aba3e25717850c26c9cd0d89d";

TEST(Thumbprint, IsTheSha256) {
  EXPECT_EQ(Thumbprint::of_der("abc").hex(), kSha256OfAbc);
  EXPECT_EQ(Thumbprint::of_der("abc").brief(), kSha256OfAbc.substr(0, 16));
  EXPECT_EQ(sha1_thumbprint("abc"), kSha1OfAbc);
}

TEST(Thumbprint, ComesBackFromHex) {
  EXPECT_EQ(*Thumbprint::from_hex(kSha256OfAbc), Thumbprint::of_der("abc"));
  EXPECT_FALSE(Thumbprint::from_hex(kSha1OfAbc));
  std::string upper = kSha256OfAbc;
  upper[0] = 'B';
  EXPECT_FALSE(Thumbprint::from_hex(upper));
  std::hash<Thumbprint> hash;
  EXPECT_EQ(hash(*Thumbprint::from_hex(kSha256OfAbc)), hash(Thumbprint::of_der("abc")));
}

TEST(TypedThumbprint, TakesWhatPeoplePaste) {
  for (std::string typed :
       {kSha256OfAbc, kSha1OfAbc, std::string("BA:78:16:BF"), std::string("ba 78 16 bf"),
        "\xE2\x80\x8E" + kSha1OfAbc, std::string(" a9993e36\n")}) {
    auto parsed = TypedThumbprint::parse(typed);
    ASSERT_TRUE(parsed) << typed;
    EXPECT_TRUE(parsed->matches(Thumbprint::of_der("abc"), "abc")) << typed;
    EXPECT_FALSE(parsed->matches(Thumbprint::of_der("x"), "x")) << typed;
    EXPECT_TRUE(TypedThumbprint::looks_like_one(typed));
  }
}

TEST(TypedThumbprint, SaysWhatIsWrong) {
  auto cause = [](std::string_view typed) { return TypedThumbprint::parse(typed).error().cause; };
  EXPECT_EQ(cause("ba7816b"), "7 digits are too few, 8 are needed");
  EXPECT_EQ(cause(kSha256OfAbc + "0"), "65 digits are too many, a SHA-256 has 64");
  EXPECT_EQ(cause("www.example.com"), "'w' is not a hex digit");
  EXPECT_EQ(TypedThumbprint::parse("").error().code, Code::usage);
  EXPECT_FALSE(TypedThumbprint::looks_like_one("deadbeef.example"));
}

}  // namespace
}  // namespace certrebind
