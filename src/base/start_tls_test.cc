#include "base/start_tls.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(StartTls, HasANameForEachDialect) {
  for (int i = 0; i <= static_cast<int>(StartTls::nntp); ++i) {
    auto dialect = static_cast<StartTls>(i);
    EXPECT_EQ(start_tls_named(to_text(dialect)), dialect) << i;
  }
  EXPECT_EQ(to_text(StartTls::none), "none");
  EXPECT_EQ(to_text(StartTls::xmpp_server), "xmpp-server");
  EXPECT_EQ(to_text(StartTls::nntp), "nntp");
}

TEST(StartTls, KnowsNoOtherNames) {
  for (const char* name : {"", "SMTP", "xmpp", "xmpp_client", "smtp "})
    EXPECT_EQ(start_tls_named(name), std::nullopt) << name;
}

}  // namespace
}  // namespace certrebind
