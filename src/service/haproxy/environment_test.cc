#include "service/haproxy/environment.h"

#include <gtest/gtest.h>

namespace certrebind::haproxy {
namespace {

TEST(HaproxyEnvironment, VariablesInAddresses) {
  const std::map<std::string, std::string> environment = {
      {"IP", "127.0.0.1"}, {"PORT_1", "443"}, {"EMPTY", ""}};
  auto expanded = [&](const char* text) { return expand_variables(text, environment); };
  EXPECT_EQ(expanded("${IP}:${PORT_1}"), "127.0.0.1:443");
  EXPECT_EQ(expanded("$IP:$PORT_1"), "127.0.0.1:443");
  EXPECT_EQ(expanded("${IP:443"), "127.0.0.1:443");
  EXPECT_EQ(expanded("$IP}:1"), "127.0.0.1}:1");
  EXPECT_EQ(expanded("${NO}*:${EMPTY}1"), "*:1");
  EXPECT_EQ(expanded("${NO-x}:1"), "-x}:1");
  EXPECT_EQ(expanded("$"), "");
  EXPECT_EQ(expanded("a$"), "a");
  EXPECT_EQ(expanded("${"), "");
  EXPECT_EQ(expanded(":443"), ":443");
}

}  // namespace
}  // namespace certrebind::haproxy
