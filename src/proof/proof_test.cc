#include "proof/proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProofTest : public ::testing::Test {
 protected:
  ProofTest() {
    limits_.deadline = milliseconds(1000);
    limits_.poll_every = milliseconds(100);
    host_.network.on_connect = [this](const Address&) {
      host_.clock.sleep(milliseconds(1));  // what a handshake takes
      ++looks_;
      if (script_) script_(looks_);
    };
  }
  Claim claim(size_t site, bool tolerant = false) {
    Claim made{
        .target = {.address = {.host = "127.0.0.1", .port = host_.port(site), .unix_path = {}},
                   .proxy_protocol = false,
                   .sni = host_.sites[site],
                   .key_type = KeyType::other},
        .wanted = host_.new_ones[site].thumbprint,
        .unwanted = {},
        .text = host_.sites[site]};
    if (tolerant) made.unwanted = host_.old_ones[site].thumbprint;
    return made;
  }
  Verdict prove_it(const std::vector<Claim>& claims) {
    return prove(host_.prober, host_.clock, claims, limits_);
  }
  void serve_new(size_t site) {
    host_.network.serve(host_.port(site), host_.sites[site], host_.new_ones[site]);
  }
  void serve_old(size_t site) {
    host_.network.serve(host_.port(site), host_.sites[site], host_.old_ones[site]);
  }

  FakeHost host_{{"a.test", "b.test"}};
  ProofLimits limits_;
  std::function<void(int)> script_;
  int looks_ = 0;
};

TEST_F(ProofTest, NothingToProveHolds) {
  Verdict verdict = prove_it({});
  EXPECT_TRUE(verdict.holds());
  EXPECT_EQ(verdict.total, 0U);
}

TEST_F(ProofTest, TakesManyInARow) {
  serve_new(0);
  Verdict verdict = prove_it({claim(0)});
  EXPECT_TRUE(verdict.holds());
  EXPECT_EQ(verdict.proven, 1U);
  EXPECT_GE(looks_, 20);
}

TEST_F(ProofTest, ARelapseBeginsAnew) {
  script_ = [this](int look) {
    if (look == 15) {
      serve_old(0);
    } else {
      serve_new(0);
    }
  };
  EXPECT_TRUE(prove_it({claim(0)}).holds());
  EXPECT_GE(looks_, 15 + 40) << "after a contradiction it takes twice as many";
}

// The kernel gives another process on the same port a share of the connections. Sooner or later it
// gets none of twenty in a row.
TEST_F(ProofTest, AStrangerThatSparesARowIsSeenByALongerOne) {
  script_ = [this](int look) {
    if (look % 30 == 5) {
      serve_old(0);
    } else {
      serve_new(0);
    }
  };
  EXPECT_FALSE(prove_it({claim(0)}).holds());
}

TEST_F(ProofTest, AnOldAnswerOnTheListenerSpeaksAgainstAllItsNames) {
  Claim other = claim(0);
  other.target.sni = "b.test";
  other.wanted = host_.new_ones[1].thumbprint;
  serve_new(0);
  host_.network.serve(host_.port(0), "b.test", host_.old_ones[1]);
  Verdict verdict = prove_it({claim(0), other});
  EXPECT_EQ(verdict.proven, 0U) << "an old worker still takes connections there";
}

TEST_F(ProofTest, WaitsUntilItIsServedAndNotLonger) {
  script_ = [this](int look) {
    if (look == 4) serve_new(0);
  };
  SteadyTime begin = host_.clock.steady();
  EXPECT_TRUE(prove_it({claim(0)}).holds());
  EXPECT_LT(host_.clock.steady() - begin, limits_.deadline);
}

TEST_F(ProofTest, EndsAtItsDeadline) {
  SteadyTime begin = host_.clock.steady();
  Verdict verdict = prove_it({claim(0), claim(1)});
  EXPECT_FALSE(verdict.holds());
  EXPECT_EQ(verdict.proven, 0U);
  EXPECT_EQ(verdict.total, 2U);
  EXPECT_GE(host_.clock.steady() - begin, limits_.deadline);
  EXPECT_LT(host_.clock.steady() - begin, limits_.deadline + milliseconds(200));
  EXPECT_THAT(verdict.failures,
              ElementsAre("a.test serves " + host_.old_ones[0].thumbprint.brief(),
                          "b.test serves " + host_.old_ones[1].thumbprint.brief()));
}

TEST_F(ProofTest, SaysWhyNobodyAnswered) {
  host_.network.table.clear();
  EXPECT_THAT(prove_it({claim(0)}).failures, ElementsAre(HasSubstr("Connection refused")));
}

TEST_F(ProofTest, TellsEveryFailure) {
  EXPECT_EQ(prove_it(std::vector<Claim>(20, claim(0))).failures.size(), 20U);
}

TEST_F(ProofTest, StopsWaitingForTheDead) {
  limits_.gone = [] { return true; };
  SteadyTime begin = host_.clock.steady();
  EXPECT_FALSE(prove_it({claim(0)}).holds());
  EXPECT_LT(host_.clock.steady() - begin, milliseconds(100));
}

TEST_F(ProofTest, AStrangerIsToleratedWhereTheWantedOneIsSeenToo) {
  TestCertificate stranger = host_.issuer.issue({.names = {"a.test"}});
  script_ = [&](int look) {
    if (look % 2 == 0) {
      serve_new(0);
    } else {
      host_.network.serve(host_.port(0), "a.test", stranger);
    }
  };
  EXPECT_TRUE(prove_it({claim(0, true)}).holds());
  EXPECT_FALSE(prove_it({claim(0, false)}).holds());
}

// A certificate that the server never loaded is restored to its file, and shown only after a
// reload.
TEST_F(ProofTest, WhatWasInMemoryIsAsGoodAsWhatLayInTheFile) {
  Expectation expected{.address = {.host = "127.0.0.1", .port = host_.port(0), .unix_path = {}},
                       .proxy_protocol = false,
                       .sni = "a.test",
                       .site = "a.test",
                       .old_thumbprint = host_.old_ones[1].thumbprint,
                       .new_thumbprint = host_.new_ones[0].thumbprint,
                       .in_memory = host_.old_ones[0].thumbprint};
  serve_old(0);
  EXPECT_TRUE(prove_it(claims_for_old(std::vector{expected})).holds());
  host_.network.serve(host_.port(0), "a.test", host_.old_ones[1]);
  EXPECT_TRUE(prove_it(claims_for_old(std::vector{expected})).holds());
  serve_new(0);
  EXPECT_FALSE(prove_it(claims_for_old(std::vector{expected})).holds());
}

TEST_F(ProofTest, AStrangerAloneProvesNothingAndIsPolledNotHammered) {
  TestCertificate stranger = host_.issuer.issue({.names = {"a.test"}});
  host_.network.serve(host_.port(0), "a.test", stranger);
  Verdict verdict = prove_it({claim(0, true)});
  EXPECT_FALSE(verdict.holds());
  EXPECT_THAT(verdict.failures, ElementsAre("a.test serves " + stranger.thumbprint.brief()));
  EXPECT_LT(looks_, 100) << "with 100 ms between looks";
}

TEST_F(ProofTest, AStrangerAloneDoesNotHideThatTheServerIsGone) {
  host_.network.serve(host_.port(0), "a.test", host_.issuer.issue({.names = {"a.test"}}));
  limits_.gone = [] { return true; };
  prove_it({claim(0, true)});
  EXPECT_LT(looks_, 50);
}

TEST_F(ProofTest, TheUnwantedIsNeverTolerated) {
  EXPECT_FALSE(prove_it({claim(0, true)}).holds());
}

TEST_F(ProofTest, ManyNamesBearWitnessForEachOther) {
  serve_new(0);
  host_.network.table[{443, ""}] = host_.network.table[{443, "a.test"}];
  std::vector<Claim> claims;
  for (int i = 0; i < 150; ++i) {
    claims.push_back(claim(0));
    claims.back().target.sni = "n" + std::to_string(i) + ".test";
  }
  size_t told = 0;
  limits_.progress = [&](size_t done, size_t total) {
    EXPECT_LE(done, total);
    told = done;
  };
  EXPECT_TRUE(prove_it(claims).holds());
  EXPECT_LT(looks_, 170) << "one for each, and a few sentinels";
  EXPECT_GT(told, 100U);
}

TEST_F(ProofTest, AsksByKindOfKey) {
  TestCertificate rsa = host_.issuer.issue({.names = {"a.test"}, .key = TestKey::rsa2048});
  serve_new(0);
  host_.network.table[{443, "a.test"}].push_back({rsa.chain_pem, rsa.key_pem});
  Claim ecdsa_claim = claim(0), rsa_claim = claim(0);
  ecdsa_claim.target.key_type = KeyType::ecdsa;
  rsa_claim.target.key_type = KeyType::rsa;
  rsa_claim.wanted = rsa.thumbprint;
  EXPECT_TRUE(prove_it({ecdsa_claim, rsa_claim}).holds());
}

TEST(ExpectationTest, KnowsWhatToAskFor) {
  Expectation expected{.address = {.host = "::1", .port = 8443, .unix_path = {}},
                       .proxy_protocol = true,
                       .start_tls = StartTls::smtp,
                       .sni = "a.test",
                       .site = "a.test",
                       .old_thumbprint = {},
                       .new_thumbprint = {},
                       .old_type = KeyType::rsa,
                       .new_type = KeyType::ecdsa};
  EXPECT_EQ(expected.text(), "[::1]:8443 (a.test)");
  EXPECT_EQ(expected.old_target().key_type, KeyType::rsa);
  EXPECT_EQ(expected.new_target().key_type, KeyType::ecdsa);
  EXPECT_TRUE(expected.new_target().proxy_protocol);
  EXPECT_EQ(expected.new_target().text(), "[::1]:8443 with smtp STARTTLS for a.test (ECDSA)");
  expected.sni.clear();
  EXPECT_EQ(expected.text(), "[::1]:8443 (without SNI)");
}

TEST(ExpectationTest, GoesTheWayOfTheEndpoint) {
  Binding binding;
  binding.endpoints = {{.address = {.host = "::1", .port = 143, .unix_path = {}},
                        .listens = "imap",
                        .proxy_protocol = true,
                        .start_tls = StartTls::imap,
                        .probe_names = {"a.test"},
                        .unproven = {}}};
  auto targets = targets_of(binding, KeyType::other);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_TRUE(targets[0].proxy_protocol);
  EXPECT_EQ(targets[0].start_tls, StartTls::imap);
}

}  // namespace
}  // namespace certrebind
