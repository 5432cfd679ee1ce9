#include "plan/pending.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/own.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One server with a.test; a renewer's tree at /le, a plain store at /store.
class PendingTest : public ::testing::Test {
 protected:
  PendingTest() { host_.settings.stores = {{"certbot", "/le"}, {"directory", "/store"}}; }

  void put_pair(const std::string& certificate, const std::string& key,
                const TestCertificate& content) {
    host_.files.put(certificate, content.chain_pem);
    host_.files.put(key, content.key_pem, 0600);
  }
  void renew_in_place() {
    put_pair(host_.certificate_path(0), host_.key_path(0), host_.new_ones[0]);
  }
  void renew_in_the_renewers_tree() {
    put_pair("/le/live/a/fullchain.pem", "/le/live/a/privkey.pem", later_);
  }
  Pending find() {
    survey_ = host_.survey();
    leave_alone(host_.settings, survey_);
    if (not_loaded_) {
      survey_.bindings[0].binding.endpoints.clear();
      survey_.bindings[0].not_loaded = not_loaded_;
    }
    Asker asker(host_.prober);
    auto looks = look_at_all(asker, survey_, {});
    return find_pending(host_.context().host, host_.settings, survey_, looks, history_);
  }
  // Later than the expiry of a fake host's certificates.
  TestCertificate issue_later_by(days life) {
    return host_.issuer.issue(
        {.names = {"a.test"},
         .not_before = test_now() - days(1),
         .not_after = std::chrono::sys_days(std::chrono::year(2049) / 1 / 1) + life});
  }
  std::string old_hex() const { return host_.old_ones[0].thumbprint.hex(); }

  FakeHost host_;
  TestCertificate later_ = issue_later_by(days(200));
  Survey survey_;
  History history_;
  std::optional<Thumbprint> not_loaded_;  // of a binding that no handshake shows
};

TEST_F(PendingTest, NothingWhereAllAgree) {
  Pending pending = find();
  EXPECT_THAT(pending.pairs, IsEmpty());
  EXPECT_THAT(pending.undecided, IsEmpty());
  EXPECT_THAT(pending.held, IsEmpty());
}

TEST_F(PendingTest, WhatIsServedIsSucceededByWhatLiesThere) {
  renew_in_place();
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].old_one, old_hex());
  EXPECT_EQ(pending.pairs[0].new_one, host_.certificate_path(0));
  EXPECT_EQ(pending.pairs[0].how, How::same_place);
}

// A person imported it under a name of its own. Whoever issued it may have copied every name.
TEST_F(PendingTest, AnImportIsOnlyOffered) {
  host_.settings.stores = {{kOwnKind, "/own"}};
  auto credentials = read_credentials(later_.combined(), "", nullptr);
  ASSERT_TRUE(write_generation(host_.files, {"/own", "a.test"}, *credentials));
  EXPECT_THAT(find().pairs, IsEmpty());
  // The same name in the store: it held OLD before.
  history_.sightings = {{"/own/a.test/current/fullchain.pem", host_.old_ones[0].thumbprint, ""}};
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].how, How::same_place);
}

TEST_F(PendingTest, WhatNoHandshakeShowsIsKnownByTimes) {
  renew_in_place();
  not_loaded_ = host_.old_ones[0].thumbprint;
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].old_one, old_hex());
  EXPECT_EQ(pending.pairs[0].new_one, host_.certificate_path(0));
}

TEST_F(PendingTest, APairThatDoesNotMatchIsLeftAlone) {
  host_.files.put(host_.certificate_path(0), host_.new_ones[0].chain_pem);
  EXPECT_THAT(find().pairs, IsEmpty());
}

// The server has read the certificate after a renewal, and still has the key of before.
TEST_F(PendingTest, AServerWithTheKeyOfAnotherPairIsReloaded) {
  renew_in_place();
  const TestCertificate& new_one = host_.new_ones[0];
  host_.network.table[{host_.port(0), "a.test"}] = {
      {new_one.chain_pem, forged_key_pem(new_one.key_pem, host_.old_ones[0].key_pem)}};
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].old_one, new_one.thumbprint.hex());
  EXPECT_EQ(pending.pairs[0].new_one, host_.certificate_path(0));
  // Nothing is to be reloaded where no pair is.
  host_.files.put(host_.key_path(0), host_.old_ones[0].key_pem, 0600);
  EXPECT_THAT(find().pairs, IsEmpty());
}

TEST_F(PendingTest, ACopyFollowsThePlaceItWasCopiedFrom) {
  renew_in_the_renewers_tree();
  history_.sightings = {{"/le/live/a/fullchain.pem", host_.old_ones[0].thumbprint, ""}};
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].how, How::same_place);
  EXPECT_EQ(pending.pairs[0].renewer, "certbot");
}

TEST_F(PendingTest, OneCandidateOfTheSameIdentityIsTaken) {
  renew_in_the_renewers_tree();
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].new_one, "/le/live/a/fullchain.pem");
  EXPECT_EQ(pending.pairs[0].how, How::same_identity);
}

TEST_F(PendingTest, OfTwoCandidatesAPersonChooses) {
  renew_in_the_renewers_tree();
  put_pair("/store/other.pem", "/store/other.key", issue_later_by(days(300)));
  Pending pending = find();
  EXPECT_THAT(pending.pairs, IsEmpty());
  ASSERT_THAT(pending.undecided, SizeIs(1));
  EXPECT_THAT(pending.undecided[0].sentence, HasSubstr("a person must choose one"));
}

TEST_F(PendingTest, ACandidateWithoutItsKeyOrWithOtherNamesIsNone) {
  host_.files.put("/le/live/a/fullchain.pem", later_.chain_pem);
  auto other = host_.issuer.issue({.names = {"a.test", "b.test"},
                                   .not_before = test_now() - days(1),
                                   .not_after = test_now() + days(20'000)});
  put_pair("/store/other.pem", "/store/other.key", other);
  EXPECT_THAT(find().pairs, IsEmpty());
}

TEST_F(PendingTest, WhatWasDeclaredNeedsNoLikeness) {
  put_pair("/anywhere/new.pem", "/anywhere/new.key", later_);
  history_.successions = {
      {old_hex(), later_.thumbprint.hex(), How::declared, "", "/anywhere/new.pem"}};
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].how, How::declared);
}

TEST_F(PendingTest, TheLastWordHolds) {
  put_pair("/anywhere/new.pem", "/anywhere/new.key", later_);
  auto mistaken = issue_later_by(days(300));
  put_pair("/anywhere/mistaken.pem", "/anywhere/mistaken.key", mistaken);
  history_.successions = {
      {old_hex(), mistaken.thumbprint.hex(), How::declared, "", "/anywhere/mistaken.pem"},
      {old_hex(), later_.thumbprint.hex(), How::declared, "", "/anywhere/new.pem"}};
  Pending pending = find();
  ASSERT_THAT(pending.pairs, SizeIs(1));
  EXPECT_EQ(pending.pairs[0].new_one, "/anywhere/new.pem");
}

TEST_F(PendingTest, WhatWasUndoneIsNotMadeAgain) {
  renew_in_the_renewers_tree();
  history_.successions = {{old_hex(), later_.thumbprint.hex(), How::undone, "", ""}};
  EXPECT_THAT(find().pairs, IsEmpty());
}

TEST_F(PendingTest, AForcedReloadIsNoStandingOrder) {
  history_.successions = {{old_hex(), old_hex(), How::declared, "", host_.certificate_path(0)}};
  EXPECT_THAT(find().pairs, IsEmpty());
}

// A binding to a renewer's files gets renewals only from there.
TEST_F(PendingTest, NothingIsTakenFromItsRenewer) {
  host_.settings.stores = {{"certbot", parent_directory(host_.certificate_path(0))},
                           {"directory", "/store"}};
  put_pair("/store/other.pem", "/store/other.key", later_);
  Pending pending = find();
  EXPECT_THAT(pending.pairs, IsEmpty());
  history_.sightings = {{"/store/other.pem", host_.old_ones[0].thumbprint, ""}};
  EXPECT_THAT(find().pairs, IsEmpty());
}

// A server that sees something other than the survey did is left unchanged, and this is reported.
TEST_F(PendingTest, NothingIsDoneInDoubt) {
  renew_in_place();
  ASSERT_THAT(find().pairs, SizeIs(1));
  Asker asker(host_.prober);
  auto looks = look_at_all(asker, survey_, {});
  Pending pending = find_pending(host_.context().host, host_.settings, survey_, looks, history_,
                                 {{survey_.bindings[0].service, "it names another"}});
  EXPECT_THAT(pending.pairs, IsEmpty());
  ASSERT_THAT(pending.undecided, SizeIs(1));
  EXPECT_THAT(pending.undecided[0].sentence, HasSubstr("it names another"));
}

TEST_F(PendingTest, PoliciesAreKept) {
  renew_in_place();
  host_.settings.policies = {{.site = "b.*"}, {.site = "a.*", .automatic = Policy::Automatic::no}};
  Pending left_alone = find();
  EXPECT_THAT(left_alone.pairs, IsEmpty());
  EXPECT_THAT(left_alone.held, ElementsAre(HasSubstr("excluded by a policy")));
  EXPECT_THAT(left_alone.undecided, IsEmpty());
  host_.settings.policies = {{.automatic = Policy::Automatic::notify}};
  Pending told = find();
  EXPECT_THAT(told.pairs, IsEmpty());
  EXPECT_THAT(told.undecided, SizeIs(1));
}

}  // namespace
}  // namespace certrebind
