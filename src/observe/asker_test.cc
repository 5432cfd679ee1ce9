#include "observe/asker.h"

#include <gtest/gtest.h>

#include "probe/server_for_test.h"

namespace certrebind {
namespace {

Target target(uint16_t port, std::string sni) {
  return {.address = {.host = "127.0.0.1", .port = port, .unix_path = {}}, .sni = std::move(sni)};
}

TEST(Asker, MakesEachHandshakeOnce) {
  TestAuthority root;
  FakeServer server(root.issue({.names = {"a.test"}}));
  ManualClock clock{WallTime{}};
  FakeNetwork network(server, clock);
  Prober prober(network, clock, milliseconds(3000));
  Asker asker(prober);
  constexpr uint16_t kRefuses = 1;
  const std::vector<Target> targets = {target(443, "a.test"), target(kRefuses, "a.test"),
                                       target(443, "a.test"), target(443, "b.test")};
  std::vector<const Result<Served>*> answers = asker.ask(targets);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_TRUE(*answers[0]);
  EXPECT_FALSE(*answers[1]);  // a refusal is an answer too
  EXPECT_EQ(answers[0], answers[2]);
  EXPECT_NE(answers[0], answers[3]);
  EXPECT_EQ(network.connections, 3);

  size_t known = 0;
  Target other_type = target(443, "a.test");
  other_type.key_type = KeyType::rsa;
  EXPECT_EQ(
      asker.ask({{targets[0], targets[1], other_type}}, [&](size_t done) { known = done; }).front(),
      answers[0]);
  EXPECT_EQ(known, 3U);
  EXPECT_EQ(network.connections, 4);

  Target other_way = target(443, "a.test");
  other_way.start_tls = StartTls::smtp;
  EXPECT_NE(asker.ask({{other_way}}).front(), answers[0]);
  EXPECT_EQ(network.connections, 5);
}

}  // namespace
}  // namespace certrebind
