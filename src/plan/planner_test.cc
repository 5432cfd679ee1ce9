#include "plan/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using std::chrono::days;

// One server with a.test and b.test, which have different certificates; renewed ones are in a
// renewer's tree and in loose files.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    host_.settings.stores = {{"certbot", "/le"}, {"directory", "/store"}};
    for (size_t i = 0; i < 2; ++i) {
      put_pair("/le/live/" + host_.sites[i] + "/fullchain.pem",
               "/le/live/" + host_.sites[i] + "/privkey.pem", host_.new_ones[i]);
      put_pair("/loose/" + host_.sites[i] + ".pem", "/loose/" + host_.sites[i] + ".key",
               host_.new_ones[i]);
    }
  }
  void put_pair(const std::string& certificate, const std::string& key,
                const TestCertificate& content) {
    host_.files.put(certificate, content.chain_pem);
    host_.files.put(key, content.key_pem, 0600);
  }
  void configure(const std::string& text) { host_.files.put(kFakeConfig, text); }

  void look() { survey_ = host_.survey(); }
  Succession succession(size_t site, const std::string& path) {
    KnownCertificates known;
    auto old_one = identify_old(host_.files, known, host_.certificate_path(site));
    if (!old_one || old_one->thumbprint != host_.old_ones[site].thumbprint) {
      known.add_served(host_.old_ones[site].der);
      old_one = identify_old(host_.files, known, host_.old_ones[site].thumbprint.hex());
    }
    auto new_one = identify_new(host_.files, known, host_.settings.stores, survey_, path, "");
    return {old_one.value(), new_one.value()};
  }
  Succession stored(size_t site) {
    return succession(site, "/le/live/" + host_.sites[site] + "/fullchain.pem");
  }
  Succession loose(size_t site) { return succession(site, "/loose/" + host_.sites[site] + ".pem"); }

  std::vector<Plan> plans_for(std::vector<Succession> successions) {
    successions_ = std::move(successions);
    return make_plans({.files = host_.files,
                       .settings = host_.settings,
                       .survey = survey_,
                       .sightings = sightings_,
                       .served = served_,
                       .only_served = only_served_,
                       .preference = preference_,
                       .now = test_now()},
                      successions_);
  }
  Plan plan_for(std::vector<Succession> successions) {
    look();
    std::vector<Plan> plans = plans_for(std::move(successions));
    EXPECT_EQ(plans.size(), 1U);
    return plans.empty() ? Plan{} : std::move(plans.front());
  }
  static void expect_refused(const Plan& plan, const std::string& why) {
    EXPECT_TRUE(plan.does_nothing());
    EXPECT_THAT(plan.request.files, IsEmpty());
    EXPECT_THAT(plan.findings, Contains(Field(&Finding::sentence, HasSubstr(why))));
  }

  FakeHost host_{{"a.test", "b.test"}};
  Survey survey_;
  std::vector<Succession> successions_;
  std::vector<Sighting> sightings_;
  ServedNow served_;
  StaleLeaves only_served_;
  Preference preference_ = Preference::automatic;
};

TEST_F(PlanTest, RepointsToWhatHasAHome) {
  std::string before = host_.files.read(kFakeConfig, kConfigLimit).value();
  Plan plan = plan_for({stored(0)});
  ASSERT_EQ(plan.bindings.size(), 1U);
  EXPECT_EQ(plan.bindings[0].kind, PlanKind::repoint);
  ASSERT_EQ(plan.request.files.size(), 1U);
  EXPECT_EQ(plan.request.files[0].path, kFakeConfig);
  EXPECT_EQ(plan.request.files[0].before, before);
  EXPECT_EQ(plan.request.files[0].after,
            "# the sites\n"
            "site a.test 443 /le/live/a.test/fullchain.pem /le/live/a.test/privkey.pem\n"
            "site b.test 444 /etc/fake/b.test.pem /etc/fake/b.test.key\n");
  ASSERT_EQ(plan.request.expectations.size(), 1U);
  EXPECT_EQ(plan.request.expectations[0].new_thumbprint, host_.new_ones[0].thumbprint);
  EXPECT_EQ(plan.request.expectations[0].old_type, KeyType::ecdsa);
  EXPECT_THAT(plan.findings, IsEmpty());
}

TEST_F(PlanTest, RewritesWithALooseFile) {
  Plan plan = plan_for({loose(0)});
  ASSERT_EQ(plan.bindings.size(), 1U);
  EXPECT_EQ(plan.bindings[0].kind, PlanKind::rewrite);
  ASSERT_EQ(plan.request.files.size(), 2U);
  EXPECT_EQ(plan.request.files[0].path, host_.key_path(0)) << "ordered by path";
  EXPECT_EQ(plan.request.files[0].after, host_.new_ones[0].key_pem);
  EXPECT_EQ(plan.request.files[1].after, host_.new_ones[0].chain_pem);
  EXPECT_TRUE(plan.request.files[0].secret && plan.request.files[1].secret);
}

TEST_F(PlanTest, WhatIsPreferredIsDone) {
  preference_ = Preference::rewrite;
  EXPECT_EQ(plan_for({stored(0)}).bindings.at(0).kind, PlanKind::rewrite);
  preference_ = Preference::repoint;
  EXPECT_EQ(plan_for({loose(0)}).bindings.at(0).kind, PlanKind::repoint);
}

TEST_F(PlanTest, ARenewersTreeIsNeverOverwritten) {
  put_pair("/le/live/old/fullchain.pem", "/le/live/old/privkey.pem", host_.old_ones[0]);
  configure("site a.test 443 /le/live/old/fullchain.pem /le/live/old/privkey.pem\n");
  EXPECT_EQ(plan_for({loose(0)}).bindings.at(0).kind, PlanKind::repoint);
  preference_ = Preference::rewrite;
  expect_refused(plan_for({loose(0)}), "belongs to certbot");
  configure("site a.test 443 /etc/fake/a.test.pem /le/live/old/privkey.pem\n");
  expect_refused(plan_for({loose(0)}), "/le/live/old/privkey.pem belongs to certbot");
}

TEST_F(PlanTest, ALinkIntoARenewersTreeIsTheTree) {
  put_pair("/le/archive/a1.pem", "/le/archive/k1.pem", host_.old_ones[0]);
  host_.files.put_link("/etc/fake/l.pem", "/le/archive/a1.pem");
  host_.files.put_link("/etc/fake/l.key", "/le/archive/k1.pem");
  configure("site a.test 443 /etc/fake/l.pem /etc/fake/l.key\n");
  EXPECT_EQ(plan_for({loose(0)}).bindings.at(0).kind, PlanKind::repoint);
}

TEST_F(PlanTest, ReloadsWhatIsOnDiskAlreadyAndServedOld) {
  Succession both = loose(0);
  put_pair(host_.certificate_path(0), host_.key_path(0), host_.new_ones[0]);
  look();
  EXPECT_THAT(needs_look(survey_, {both}), ElementsAre(&survey_.bindings[0]));
  EXPECT_THAT(plans_for({both}), IsEmpty()) << "nothing says that it serves OLD";
  served_[&survey_.bindings[0]] = {{host_.new_ones[0].thumbprint}};
  EXPECT_THAT(plans_for({both}), IsEmpty());
  served_[&survey_.bindings[0]] = {{host_.new_ones[0].thumbprint}, {host_.old_ones[0].thumbprint}};
  std::vector<Plan> plans = plans_for({both});
  ASSERT_EQ(plans.size(), 1U);
  EXPECT_EQ(plans[0].bindings.at(0).kind, PlanKind::reload);
  EXPECT_THAT(plans[0].request.files, IsEmpty());
}

TEST_F(PlanTest, ReloadsWhatServesAnotherWhereOldWasSeen) {
  Succession both = loose(0);
  put_pair(host_.certificate_path(0), host_.key_path(0), host_.new_ones[0]);
  look();
  served_[&survey_.bindings[0]] = {{host_.old_ones[1].thumbprint}};
  EXPECT_THAT(plans_for({both}), IsEmpty());
  sightings_ = {{host_.certificate_path(0), host_.old_ones[0].thumbprint, host_.old_ones[0].der}};
  EXPECT_EQ(plans_for({both}).size(), 1U);
}

TEST_F(PlanTest, WhatIsOnlyServedIsReplacedWhereAThirdLies) {
  Succession both = loose(0);
  TestCertificate third = host_.issuer.issue({.names = {"a.test"},
                                              .not_before = test_now() - days(1),
                                              .not_after = test_now() + days(40)});
  put_pair(host_.certificate_path(0), host_.key_path(0), third);
  look();
  EXPECT_THAT(plans_for({both}), IsEmpty()) << "nothing says that it serves OLD";
  only_served_[&survey_.bindings[0]] = {host_.old_ones[0].thumbprint};
  std::vector<Plan> plans = plans_for({both});
  ASSERT_EQ(plans.size(), 1U);
  EXPECT_EQ(plans[0].bindings.at(0).kind, PlanKind::rewrite);
  EXPECT_EQ(plans[0].bindings.at(0).replaced().outline.thumbprint, third.thumbprint);
  ASSERT_EQ(plans[0].request.files.size(), 2U);
  EXPECT_EQ(plans[0].request.files[1].before, third.chain_pem);
  EXPECT_EQ(plans[0].request.files[1].after, host_.new_ones[0].chain_pem);
  ASSERT_EQ(plans[0].request.expectations.size(), 1U);
  EXPECT_EQ(plans[0].request.expectations[0].old_thumbprint, third.thumbprint);
  EXPECT_EQ(plans[0].request.expectations[0].in_memory, host_.old_ones[0].thumbprint);
}

TEST_F(PlanTest, AReloadNeedsTheRightKeyInPlace) {
  Succession both = loose(0);
  host_.files.put(host_.certificate_path(0), host_.new_ones[0].chain_pem);
  look();
  served_[&survey_.bindings[0]] = {{host_.old_ones[0].thumbprint}};
  std::vector<Plan> plans = plans_for({both});
  ASSERT_EQ(plans.size(), 1U);
  expect_refused(plans[0],
                 "uses the key " + host_.key_path(0) + ", which belongs to another certificate");
}

// A person may have swapped the two; where OLD was seen before, or what a renewer did, is a
// renewal.
TEST_F(PlanTest, AShorterLifeIsAMistakeOnlyIfAPersonSaysSo) {
  TestCertificate shorter =
      host_.issuer.issue({.names = {"a.test"}, .not_after = test_now() + days(30)});
  put_pair("/loose/shorter.pem", "/loose/shorter.key", shorter);
  look();
  Succession declared = succession(0, "/loose/shorter.pem");
  expect_refused(plan_for({declared}), "before the old one");
  Succession accepted = declared;
  accepted.accepted = {Risk::shorter};
  EXPECT_FALSE(plan_for({accepted}).does_nothing());
  Succession found = declared;
  found.how = How::same_place;
  EXPECT_FALSE(plan_for({found}).does_nothing());
  sightings_ = {{"/loose/shorter.pem", host_.old_ones[0].thumbprint, ""}};
  EXPECT_FALSE(plan_for({declared}).does_nothing());
}

// certbot keeps every generation beside the one that live/ points to.
TEST_F(PlanTest, WhatLiesBesideItInItsRenewersDirectoryIsItsLineage) {
  TestCertificate shorter =
      host_.issuer.issue({.names = {"a.test"}, .not_after = test_now() + days(30)});
  put_pair("/le/archive/a/fullchain2.pem", "/le/archive/a/privkey2.pem", shorter);
  host_.files.put_link("/le/live/a/fullchain.pem", "/le/archive/a/fullchain2.pem");
  host_.files.put_link("/le/live/a/privkey.pem", "/le/archive/a/privkey2.pem");
  look();
  expect_refused(plan_for({succession(0, "/le/live/a/fullchain.pem")}), "before the old one");
  host_.files.put("/le/archive/a/fullchain1.pem", host_.old_ones[0].chain_pem);
  EXPECT_FALSE(plan_for({succession(0, "/le/live/a/fullchain.pem")}).does_nothing());
}

TEST_F(PlanTest, ForcesAReloadWhereOldIsNew) {
  Plan plan = plan_for({succession(0, host_.certificate_path(0))});
  EXPECT_EQ(plan.bindings.at(0).kind, PlanKind::reload);
  EXPECT_FALSE(refuses(plan.findings));
}

TEST_F(PlanTest, TwoSuccessionsAreOnePlan) {
  Plan plan = plan_for({stored(0), loose(1)});
  ASSERT_EQ(plan.bindings.size(), 2U);
  EXPECT_EQ(plan.bindings[0].kind, PlanKind::repoint);
  EXPECT_EQ(plan.bindings[1].kind, PlanKind::rewrite);
  EXPECT_EQ(plan.request.files.size(), 3U);
  EXPECT_EQ(plan.request.expectations.size(), 2U);
}

TEST_F(PlanTest, ARefusedSuccessionIsLeftOutAndTheRestStands) {
  host_.files.put("/le/live/a.test/privkey.pem", host_.old_ones[1].key_pem);
  Plan plan = plan_for({stored(0), stored(1)});
  EXPECT_TRUE(refuses(plan.findings));
  ASSERT_EQ(plan.bindings.size(), 1U);
  EXPECT_EQ(plan.bindings[0].bound->binding.site, "b.test");
  EXPECT_THAT(plan.request.files.at(0).after, HasSubstr("site a.test 443 /etc/fake/a.test.pem"));
}

TEST_F(PlanTest, NobodyIsConcernedByAnotherCertificate) {
  look();
  configure("site b.test 444 /etc/fake/b.test.pem /etc/fake/b.test.key\n");
  look();
  EXPECT_THAT(plans_for({stored(0)}), IsEmpty());
}

TEST_F(PlanTest, SitesThatShareFilesGoTogether) {
  configure(
      "site a.test 443 /etc/fake/a.test.pem /etc/fake/a.test.key\n"
      "site a.test 8443 /etc/fake/a.test.pem /etc/fake/a.test.key\n");
  Plan plan = plan_for({loose(0)});
  EXPECT_EQ(plan.bindings.size(), 2U);
  EXPECT_EQ(plan.request.files.size(), 2U);
  EXPECT_EQ(plan.request.expectations.size(), 2U);
}

TEST_F(PlanTest, ANeighbourIsNotCarriedAlong) {
  host_.files.put(host_.certificate_path(1), host_.old_ones[1].chain_pem);
  configure(
      "site a.test 443 /etc/fake/a.test.pem /etc/fake/shared.key\n"
      "site b.test 444 /etc/fake/b.test.pem /etc/fake/shared.key\n");
  host_.files.put("/etc/fake/shared.key", host_.old_ones[0].key_pem);
  expect_refused(plan_for({loose(0)}), "b.test (" + kFakeConfig + ":2) also uses it");
}

TEST_F(PlanTest, ANeighbourOfTheDirectiveIsNotCarriedAlong) {
  host_.service.adorn = [](Binding& binding) {
    binding.key.where = {.file = kFakeConfig, .begin = 2, .end = 5, .line = 1, .column = 3};
  };
  expect_refused(plan_for({stored(0)}), "b.test also uses it, with another certificate");
}

TEST_F(PlanTest, WhatCannotBeEditedIsNamedAndLeft) {
  host_.service.adorn = [](Binding& binding) {
    if (binding.site == "a.test") binding.not_editable = "the path contains a variable";
  };
  Plan plan = plan_for({stored(0), stored(1)});
  EXPECT_THAT(plan.findings,
              Contains(Field(&Finding::sentence, HasSubstr("the path contains a variable"))));
  EXPECT_THAT(plan.findings, Contains(Field(&Finding::sentence, HasSubstr(kFakeConfig + ":2"))));
  ASSERT_EQ(plan.bindings.size(), 1U);
  EXPECT_EQ(plan.bindings[0].bound->binding.site, "b.test");
}

TEST_F(PlanTest, NeverTwoCertificatesOfOneTypeForASite) {
  TestCertificate rsa = host_.issuer.issue({.names = {"a.test"}, .key = TestKey::rsa2048});
  put_pair("/etc/fake/rsa.pem", "/etc/fake/rsa.key", rsa);
  configure(
      "site a.test 443 /etc/fake/rsa.pem /etc/fake/rsa.key\n"
      "site a.test 443 /etc/fake/a.test.pem /etc/fake/a.test.key\n");
  KnownCertificates known;
  Succession to_ecdsa{identify_old(host_.files, known, "/etc/fake/rsa.pem").value(),
                      stored(0).new_one};
  expect_refused(plan_for({to_ecdsa}), "already has a certificate with an ECDSA key");
  EXPECT_EQ(plan_for({stored(0)}).bindings.size(), 1U);
}

TEST_F(PlanTest, TheServerMustBeAbleToReadTheKey) {
  host_.service.reader = 33;
  expect_refused(plan_for({stored(0)}), "runs as user 33");
  EXPECT_FALSE(plan_for({loose(0)}).does_nothing()) << "a rewritten file keeps its rights";
  host_.service.reader = 0;
  EXPECT_FALSE(plan_for({stored(0)}).does_nothing());
}

TEST_F(PlanTest, TellsWhatNoHandshakeReaches) {
  host_.service.adorn = [](Binding& binding) {
    binding.unprobed_names = {"~^www"};
    binding.endpoints[0].without_sni = true;
    binding.endpoints.push_back(binding.endpoints[0]);
    binding.endpoints[1].unproven = "QUIC without a TCP twin";
  };
  Plan plan = plan_for({stored(0)});
  EXPECT_THAT(plan.request.unproven,
              ElementsAre("a.test at *:443: QUIC without a TCP twin",
                          "a.test: the name ~^www cannot be sent in a handshake"));
  ASSERT_EQ(plan.request.expectations.size(), 2U);
  EXPECT_EQ(plan.request.expectations[1].sni, "");
}

TEST_F(PlanTest, ClientBindingsAreNotProbed) {
  host_.new_ones[0] = host_.issuer.issue({.names = {"a.test"}, .extended_key_usage = "clientAuth"});
  put_pair("/le/live/a.test/fullchain.pem", "/le/live/a.test/privkey.pem", host_.new_ones[0]);
  host_.service.adorn = [](Binding& binding) { binding.role = Role::client; };
  Plan plan = plan_for({stored(0)});
  EXPECT_EQ(plan.bindings.size(), 1U);
  EXPECT_THAT(plan.request.expectations, IsEmpty());
  EXPECT_THAT(plan.request.unproven, ElementsAre(HasSubstr("no handshake can show it")));
}

TEST_F(PlanTest, NamesThatAreWonAreNoted) {
  put_pair("/le/live/a.test/fullchain.pem", "/le/live/a.test/privkey.pem",
           host_.issuer.issue({.names = {"a.test", "www.a.test"}}));
  host_.service.adorn = [](Binding& binding) { binding.names.push_back("www." + binding.site); };
  EXPECT_THAT(plan_for({stored(0)}).findings,
              Contains(Field(&Finding::sentence, HasSubstr("a.test gains www.a.test"))));
}

// Spans refer to the file as it was parsed; a file that changed meanwhile must not be edited there.
TEST_F(PlanTest, AConfigurationThatChangedSinceItWasParsedIsNotEdited) {
  look();
  configure("# a line more\n" + host_.files.read(kFakeConfig, kConfigLimit).value());
  std::vector<Plan> plans = plans_for({stored(0)});
  ASSERT_EQ(plans.size(), 1U);
  expect_refused(plans[0], "changed");
}

}  // namespace
}  // namespace certrebind
