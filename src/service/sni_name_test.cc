#include "service/sni_name.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(SniName, IsAHostName) {
  for (const char* good : {"a", "a.b", "x_y.z", "xn--mnchen-3ya.de", "1.2.3.com"})
    EXPECT_TRUE(is_sni_name(good)) << good;
  for (const char* bad : {"", "_", "a..b", "a.", ".a", "*.a", "1.2.3.4", "a/b", "A", "a b"})
    EXPECT_FALSE(is_sni_name(bad)) << bad;
}

}  // namespace
}  // namespace certrebind
