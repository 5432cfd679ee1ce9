#include "base/number.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace certrebind {
namespace {

TEST(Number, IsTheWholeText) {
  EXPECT_EQ(whole_number<int64_t>("1795353692"), 1795353692);
  EXPECT_EQ(whole_number<uint16_t>("ffff", 16), 65535);
  for (const char* text : {"", "1x", "x", " 1", "99999999999999999999"})
    EXPECT_EQ(whole_number<int64_t>(text), std::nullopt) << text;
}

}  // namespace
}  // namespace certrebind
