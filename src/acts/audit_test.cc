#include "acts/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AuditTest : public ::testing::Test {
 protected:
  std::vector<AuditedBinding> look() {
    survey_ = host_.survey();
    asker_.emplace(host_.prober);
    return judge(host_.context().host, host_.settings, survey_, look_at_all(*asker_, survey_, {}));
  }
  std::vector<Remark> remarks() { return look().at(0).remarks; }
  std::vector<Complaint> complaints() {
    std::vector<Complaint> found;
    for (const Remark& remark : remarks()) found.push_back(remark.complaint);
    return found;
  }
  void put(const TestCertificate& certificate) {
    host_.files.put(host_.certificate_path(0), certificate.chain_pem);
    host_.files.put(host_.key_path(0), certificate.key_pem);
  }
  TestCertificate lasting(WallTime begin, WallTime end) {
    return host_.issuer.issue({.names = {"a.test"}, .not_before = begin, .not_after = end});
  }

  FakeHost host_;
  Survey survey_;
  std::optional<Asker> asker_;
};

TEST_F(AuditTest, AllIsWell) {
  std::vector<AuditedBinding> audited = look();
  ASSERT_EQ(audited.size(), 1U);
  EXPECT_THAT(audited[0].remarks, IsEmpty());
  EXPECT_EQ(audited[0].level(), Level::ok);
  ASSERT_EQ(audited[0].looks.size(), 1U);
  EXPECT_EQ(audited[0].looks[0].served->thumbprint, host_.old_ones[0].thumbprint);
}

TEST_F(AuditTest, ALeafAloneNeedsNoChain) {
  host_.files.put(host_.certificate_path(0), host_.old_ones[0].pem);
  EXPECT_THAT(complaints(), ElementsAre(Complaint::chain_incomplete));
  host_.service.adorn = [](Binding& binding) { binding.leaf_alone = true; };
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(AuditTest, RenewedButNotReloaded) {
  put(host_.issuer.issue(
      {.names = {"a.test"}, .not_after = std::chrono::sys_days(std::chrono::year(2049) / 2 / 1)}));
  std::vector<AuditedBinding> audited = look();
  ASSERT_EQ(audited[0].remarks.size(), 1U);
  EXPECT_EQ(audited[0].remarks[0].complaint, Complaint::renewed_not_reloaded);
  EXPECT_THAT(audited[0].remarks[0].next,
              HasSubstr("certrebind rebind " + host_.old_ones[0].thumbprint.brief()));
  EXPECT_EQ(audited[0].level(), Level::warning);
}

TEST_F(AuditTest, ServesAnother) {
  put(host_.new_ones[0]);
  EXPECT_THAT(complaints(), ElementsAre(Complaint::serves_another)) << "no later than what it was";
}

TEST_F(AuditTest, Unreachable) {
  host_.network.table.clear();
  std::vector<Remark> found = remarks();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].complaint, Complaint::unreachable);
  EXPECT_THAT(found[0].sentence, HasSubstr("127.0.0.1:443 (a.test): Connection refused"));
}

TEST_F(AuditTest, TheKeyOfAnotherCertificate) {
  host_.network.table[{host_.port(0), "a.test"}] = {
      {host_.old_ones[0].chain_pem,
       forged_key_pem(host_.old_ones[0].key_pem, host_.new_ones[0].key_pem)}};
  std::vector<Remark> found = remarks();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].complaint, Complaint::unreachable);
  EXPECT_THAT(found[0].sentence, HasSubstr("bad signature, for the key"));
  EXPECT_THAT(found[0].next,
              HasSubstr("certrebind rebind " + host_.old_ones[0].thumbprint.brief()));
}

TEST_F(AuditTest, ManyOfAKindAreOneSentence) {
  host_.network.table.clear();
  host_.service.adorn = [](Binding& binding) {
    binding.endpoints[0].probe_names = {"a.test", "b.test", "c.test"};
  };
  std::vector<Remark> found = remarks();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].sentence, HasSubstr("(and 2 more like it)"));
}

TEST_F(AuditTest, NotRunningIsNotLookedAt) {
  host_.service.how.signal.reset();
  EXPECT_THAT(complaints(), ElementsAre(Complaint::not_running));
  EXPECT_EQ(host_.network.connections, 0);
}

TEST_F(AuditTest, NoCertificateOnDisk) {
  host_.files.put(host_.certificate_path(0), "nothing");
  std::vector<AuditedBinding> audited = look();
  ASSERT_EQ(audited[0].remarks.size(), 1U);
  EXPECT_EQ(audited[0].remarks[0].complaint, Complaint::no_certificate);
  EXPECT_EQ(audited[0].level(), Level::critical);
}

TEST_F(AuditTest, TheKeyOnDisk) {
  host_.files.put(host_.key_path(0), host_.new_ones[0].key_pem);
  EXPECT_THAT(complaints(), ElementsAre(Complaint::key_mismatch));
  ASSERT_TRUE(host_.files.remove(host_.key_path(0)));
  EXPECT_THAT(complaints(), ElementsAre(Complaint::key_mismatch));
}

TEST_F(AuditTest, Validity) {
  WallTime now = test_now();
  put(lasting(now - days(90), now - days(1)));
  host_.server_reads();
  EXPECT_THAT(complaints(), ElementsAre(Complaint::expired));
  put(lasting(now - days(85), now + days(5)));
  host_.server_reads();
  EXPECT_THAT(complaints(), ElementsAre(Complaint::about_to_expire));
  put(lasting(now + days(1), now + days(91)));
  host_.server_reads();
  EXPECT_THAT(complaints(), ElementsAre(Complaint::not_yet_valid));
}

TEST_F(AuditTest, AboutToExpireIsAPartOfTheLifetime) {
  CertificateOutline outline;
  outline.not_before = test_now();
  outline.not_after = test_now() + days(90);
  Settings settings;
  EXPECT_FALSE(about_to_expire(outline, settings, test_now() + days(80)));
  EXPECT_TRUE(about_to_expire(outline, settings, test_now() + days(82)));
  outline.not_after = test_now() + days(3650);
  EXPECT_FALSE(about_to_expire(outline, settings, test_now() + days(3600))) << "30 days at most";
  EXPECT_TRUE(about_to_expire(outline, settings, test_now() + days(3621)));
}

TEST_F(AuditTest, NamesThatAreNotCovered) {
  host_.service.adorn = [](Binding& binding) { binding.names.push_back("other.test"); };
  std::vector<Remark> found = remarks();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].complaint, Complaint::name_not_covered);
  EXPECT_THAT(found[0].sentence, HasSubstr("other.test"));
  host_.service.adorn = [](Binding& binding) {
    binding.names.push_back("other.test");
    binding.role = Role::client;
  };
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(AuditTest, ChainThatIsMissing) {
  host_.files.put(host_.certificate_path(0), host_.old_ones[0].pem);
  EXPECT_THAT(complaints(), ElementsAre(Complaint::chain_incomplete));
  TestCertificate own = self_signed({.names = {"a.test"}});
  put(own);
  host_.server_reads();
  EXPECT_THAT(complaints(), IsEmpty()) << "self-signed has no chain";
}

TEST(Complaints, HaveWordsAndALevel) {
  EXPECT_EQ(to_text(Complaint::renewed_not_reloaded), "renewed but not reloaded");
  EXPECT_EQ(to_text(Complaint::about_to_expire), "about to expire");
  EXPECT_EQ(level_of(Complaint::expired), Level::critical);
  EXPECT_EQ(level_of(Complaint::chain_incomplete), Level::warning);
}

}  // namespace
}  // namespace certrebind
