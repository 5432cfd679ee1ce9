#include "observe/stale_in_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// a.test serves OLD, but its file holds a third certificate. b.test serves what is on disk.
class OnlyServedTest : public ::testing::Test {
 protected:
  OnlyServedTest() {
    host_.service.how.signal->workers = "worker process";
    third_ = host_.issuer.issue({.names = {"a.test"}});
    host_.worker_started(host_.changed_ms(kFakeConfig) + 1);
    touch();
    put(third_);
    old_one_ = OldCertificate{.thumbprint = host_.old_ones[0].thumbprint,
                              .bundle = Bundle::parse(host_.old_ones[0].chain_pem).value()};
    new_one_.bundle = Bundle::parse(host_.new_ones[0].chain_pem).value();
    successions_ = {{old_one_, new_one_}};
  }
  void put(const TestCertificate& certificate) {
    host_.files.put(host_.certificate_path(0), certificate.chain_pem);
    host_.files.put(host_.key_path(0), certificate.key_pem);
  }
  void serve(const TestCertificate& certificate) {
    host_.network.serve(host_.port(0), "a.test", certificate);
  }
  // Time goes on in MemoryFiles with each write.
  void touch() {
    for (int i = 0; i < 3; ++i) host_.files.put("/time/goes/by", "");
  }
  std::optional<Thumbprint> marked(StaleInMemory::Where where = StaleInMemory::Where::likely) {
    survey_ = host_.survey();
    for (SurveyedBinding& bound : survey_.bindings) bound.left_alone = left_alone_;
    std::vector<const Succession*> which;
    for (const Succession& succession : successions_) which.push_back(&succession);
    const Host host = host_.context().host;
    Asker asker(host_.prober);
    StaleInMemory only_served(host, asker, sightings_, successions_);
    doubts_ = only_served.look(survey_, where, which);
    EXPECT_FALSE(only_served.found().contains(&survey_.bindings.at(1)));
    auto found = only_served.found().find(&survey_.bindings.at(0));
    return found == only_served.found().end() ? std::nullopt
                                              : std::optional(found->second.thumbprint);
  }

  FakeHost host_{{"a.test", "b.test"}};
  TestCertificate third_;
  OldCertificate old_one_;
  NewCertificate new_one_;
  std::vector<Succession> successions_;
  std::vector<Sighting> sightings_;
  bool left_alone_ = false;
  std::vector<Diagnostic> doubts_;
  Survey survey_;
};

TEST_F(OnlyServedTest, WhatTheLoadedConfigurationShowsIsItsOwn) {
  EXPECT_EQ(marked(), host_.old_ones[0].thumbprint);
  EXPECT_THAT(doubts_, IsEmpty());
}

TEST_F(OnlyServedTest, WhereTheConfigurationChangedSinceItIsADoubt) {
  host_.files.put(kFakeConfig, host_.files.read(kFakeConfig, kConfigLimit).value());
  EXPECT_EQ(marked(), std::nullopt);
  ASSERT_THAT(doubts_, SizeIs(1));
  EXPECT_THAT(doubts_[0].message, HasSubstr("a.test shows"));
  EXPECT_EQ(doubts_[0].severity, Severity::warning);
}

TEST_F(OnlyServedTest, UnlessOldWasSeenInItsFile) {
  host_.files.put(kFakeConfig, host_.files.read(kFakeConfig, kConfigLimit).value());
  sightings_ = {{host_.certificate_path(0), host_.old_ones[0].thumbprint, ""}};
  EXPECT_EQ(marked(), host_.old_ones[0].thumbprint);
}

TEST_F(OnlyServedTest, WhereNamesAreThoseOfTheFileTheDefaultMayHaveAnswered) {
  host_.service.adorn = [](Binding& binding) { binding.named_by_certificate = true; };
  EXPECT_EQ(marked(), std::nullopt);
  EXPECT_THAT(doubts_, SizeIs(1));
}

TEST_F(OnlyServedTest, NotIfAnotherWasSeenThereSince) {
  host_.files.put(kFakeConfig, host_.files.read(kFakeConfig, kConfigLimit).value());
  sightings_ = {{host_.certificate_path(0), host_.old_ones[0].thumbprint, ""},
                {host_.certificate_path(0), host_.old_ones[1].thumbprint, ""},
                {host_.certificate_path(0), third_.thumbprint, ""}};
  EXPECT_EQ(marked(), std::nullopt);
  EXPECT_THAT(doubts_, SizeIs(1));
}

// Then the server has loaded the file, and another site answers to its names.
TEST_F(OnlyServedTest, WhereTheFileDidNotChangeItIsADoubtAlthoughOldWasSeenThere) {
  sightings_ = {{host_.certificate_path(0), host_.old_ones[0].thumbprint, ""}};
  host_.processes.processes.back().started =
      static_cast<uint64_t>(host_.changed_ms(host_.certificate_path(0)) + 1);
  EXPECT_EQ(marked(), std::nullopt);
  ASSERT_THAT(doubts_, SizeIs(1));
  EXPECT_THAT(doubts_[0].message, HasSubstr("the file did not change"));
}

TEST_F(OnlyServedTest, WhatLiesThereIsAnothersOldAndThatDecides) {
  OldCertificate lying{.thumbprint = third_.thumbprint,
                       .bundle = Bundle::parse(third_.chain_pem).value()};
  successions_.push_back({lying, new_one_});
  EXPECT_EQ(marked(), std::nullopt);
  EXPECT_THAT(doubts_, IsEmpty());
}

TEST_F(OnlyServedTest, WhatServesItsOwnIsLeft) {
  serve(third_);
  EXPECT_EQ(marked(), std::nullopt);
  EXPECT_THAT(doubts_, IsEmpty());
}

TEST_F(OnlyServedTest, OneForOtherNamesIsAskedOnlyIfNothingElseFits) {
  host_.service.adorn = [](Binding& binding) { binding.names = {"c.test"}; };
  EXPECT_EQ(marked(), std::nullopt);
  EXPECT_THAT(doubts_, IsEmpty());
  EXPECT_EQ(marked(StaleInMemory::Where::anywhere), host_.old_ones[0].thumbprint);
}

TEST_F(OnlyServedTest, WhatAPolicyLeavesAloneIsNotAsked) {
  left_alone_ = true;
  EXPECT_EQ(marked(), std::nullopt);
}

TEST_F(OnlyServedTest, AServerThatIsDownShowsNothing) {
  host_.service.how.signal.reset();
  EXPECT_EQ(marked(), std::nullopt);
}

TEST_F(OnlyServedTest, AnOverwrittenFileWithAKeyOfAnotherTypeIsFoundToo) {
  third_ = host_.issuer.issue({.names = {"a.test"}, .key = TestKey::rsa2048});
  put(third_);
  EXPECT_EQ(marked(), host_.old_ones[0].thumbprint);
}

TEST_F(OnlyServedTest, ATwinOfAnotherTypeIsNot) {
  third_ = host_.issuer.issue({.names = {"a.test"}, .key = TestKey::rsa2048});
  put(third_);
  host_.service.adorn = [](Binding& binding) {
    binding.site = "one site";
    binding.endpoints.front().address.port = kFakePort;
  };
  EXPECT_EQ(marked(), std::nullopt) << "the other file of the site is the one of OLD's type";
}

TEST_F(OnlyServedTest, WhatNoHandshakeCanShowIsADoubt) {
  host_.service.adorn = [](Binding& binding) {
    if (binding.site == "a.test") binding.endpoints.clear();
  };
  EXPECT_EQ(marked(), std::nullopt);
  ASSERT_THAT(doubts_, SizeIs(1));
  EXPECT_THAT(doubts_[0].message, HasSubstr("a.test may have "));
  put(host_.issuer.issue({.names = {"else.test"}}));
  EXPECT_EQ(marked(), std::nullopt);
  EXPECT_THAT(doubts_, IsEmpty()) << "what lies there is for none of OLD's names";
}

}  // namespace
}  // namespace certrebind
