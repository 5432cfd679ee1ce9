// Tests how each renewer's files are read: one section per renewer, then the cases common to all.
// Layouts and texts come from real runs against pebble; see docs/renewers.md.
#include "store/renewers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kRoot = 0;
const WallTime kIssued = sys_days(std::chrono::year(2026) / 9 / 1);
const WallTime kExpires = kIssued + days(90);

class RenewersTest : public ::testing::Test {
 protected:
  std::optional<Lineage> owner(const std::string& path, uint32_t user = kRoot) {
    return Renewers(files_, stores_, user).owner_of(path);
  }
  void put_certificate(const std::string& path, days life = days(90)) {
    TestRequest request;
    request.not_before = kIssued;
    request.not_after = kIssued + life;
    files_.put(path, issuer_.issue(request).chain_pem);
  }
  void install(const std::string& program) { files_.put(program, "", 0755); }

  TestAuthority issuer_;
  MemoryFiles files_;
  std::vector<StoreSetting> stores_ = {
      {"certbot", "/etc/letsencrypt"}, {"lego", "/etc/lego"},
      {"acme.sh", "/root/.acme.sh"},   {"dehydrated", "/var/lib/dehydrated/certs"},
      {"uacme", "/etc/ssl/uacme"},     {"certmonger", "/var/lib/certmonger"},
      {"directory", "/etc/ssl"}};
};

// ---------------------------------------------------------------------------------------- certbot

class CertbotTest : public RenewersTest {
 protected:
  CertbotTest() {
    put_certificate("/etc/letsencrypt/archive/a.test/fullchain2.pem");
    files_.put_link("/etc/letsencrypt/live/a.test/fullchain.pem",
                    "../../archive/a.test/fullchain2.pem");
    put_conf();
    install("/usr/bin/certbot");
  }
  void put_conf(const std::string& first = "# renew_before_expiry = 30 days\nversion = 2.1.0\n",
                const std::string& more = "authenticator = webroot\n", uint32_t mode = 0644) {
    files_.put("/etc/letsencrypt/renewal/a.test.conf",
               first +
                   "archive_dir = /etc/letsencrypt/archive/a.test\n"
                   "cert = /etc/letsencrypt/live/a.test/cert.pem\n"
                   "privkey = /etc/letsencrypt/live/a.test/privkey.pem\n"
                   "chain = /etc/letsencrypt/live/a.test/chain.pem\n"
                   "fullchain = /etc/letsencrypt/live/a.test/fullchain.pem\n\n"
                   "# Options used in the renewal process\n[renewalparams]\n"
                   "account = 0\nserver = https://localhost:24100/dir\nkey_type = ecdsa\n" +
                   more,
               mode);
  }
  Lineage lineage() { return owner("/etc/letsencrypt/live/a.test/fullchain.pem").value(); }
};

TEST_F(CertbotTest, OwnsLiveArchiveAndWhatLeadsThere) {
  files_.put_link("/etc/nginx/a.pem", "/etc/letsencrypt/live/a.test/fullchain.pem");
  for (const char* path :
       {"/etc/letsencrypt/live/a.test/fullchain.pem", "/etc/letsencrypt/live/a.test/privkey.pem",
        "/etc/letsencrypt/archive/a.test/fullchain2.pem", "/etc/nginx/a.pem"}) {
    auto found = owner(path);
    ASSERT_TRUE(found) << path;
    EXPECT_EQ(found->renewer, "certbot");
    EXPECT_EQ(found->name, "a.test");
    EXPECT_EQ(found->directory, "/etc/letsencrypt/live/a.test");
    EXPECT_EQ(found->certificate_path, "/etc/letsencrypt/live/a.test/fullchain.pem");
    EXPECT_EQ(found->key_path, "/etc/letsencrypt/live/a.test/privkey.pem");
  }
  EXPECT_FALSE(owner("/etc/letsencrypt/live/README"));
  EXPECT_FALSE(owner("/etc/letsencrypt/cli.ini"));
}

TEST_F(CertbotTest, AnArchiveOfAnotherName) {
  put_certificate("/etc/letsencrypt/archive/old-0001/fullchain1.pem");
  files_.put("/etc/letsencrypt/renewal/new.conf",
             "archive_dir = /etc/letsencrypt/archive/old-0001\n");
  EXPECT_EQ(owner("/etc/letsencrypt/archive/old-0001/fullchain1.pem")->name, "new");
}

TEST_F(CertbotTest, IsToldToRenewOne) {
  EXPECT_THAT(lineage().renew,
              ElementsAre("/usr/bin/certbot", "renew", "--cert-name", "a.test", "--config-dir",
                          "/etc/letsencrypt", "--non-interactive", "--no-random-sleep-on-renew"));
  EXPECT_EQ(lineage().renew_now.back(), "--force-renewal");
  put_conf("", "work_dir = /w\nlogs_dir = /l\n");
  EXPECT_THAT(lineage().command_text, HasSubstr("--work-dir /w --logs-dir /l"));
}

TEST_F(CertbotTest, DueByItsOwnRules) {
  EXPECT_EQ(lineage().due, kExpires - days(30));
  put_conf("renew_before_expiry = 2 weeks\nversion = 2.1.0\n");
  EXPECT_EQ(lineage().due, kExpires - days(14));
  put_conf("version = 4.1.1\n");
  EXPECT_EQ(lineage().due, kExpires - days(30)) << "a third of 90 days";
  put_certificate("/etc/letsencrypt/archive/a.test/fullchain2.pem", days(45));
  EXPECT_EQ(lineage().due, kIssued + days(30));
  put_certificate("/etc/letsencrypt/archive/a.test/fullchain2.pem", days(6));
  EXPECT_EQ(lineage().due, kIssued + days(3)) << "half of a short life";
}

TEST_F(CertbotTest, NeverWhereItsConfigurationSaysSo) {
  put_conf("version = 2.1.0\n", "autorenew = False\n");
  EXPECT_EQ(lineage().due, std::nullopt);
  EXPECT_THAT(lineage().due_rule, HasSubstr("autorenew"));
  put_conf("version = 2.1.0\n", "authenticator = manual\n");
  EXPECT_THAT(lineage().renew, IsEmpty());
  EXPECT_THAT(lineage().no_command, HasSubstr("--manual"));
  put_conf("version = 2.1.0\n", "authenticator = manual\nmanual_auth_hook = /bin/true\n");
  EXPECT_FALSE(lineage().renew.empty());
}

TEST_F(CertbotTest, ItsHooks) {
  put_conf("", "renew_hook = echo deployed $RENEWED_LINEAGE\n");
  files_.put("/etc/letsencrypt/renewal-hooks/deploy/nginx.sh", "#!/bin/sh\n", 0755);
  files_.put("/etc/letsencrypt/renewal-hooks/deploy/README", "", 0644);
  EXPECT_THAT(lineage().hooks, ElementsAre("echo deployed $RENEWED_LINEAGE",
                                           "/etc/letsencrypt/renewal-hooks/deploy/nginx.sh"));
}

TEST_F(CertbotTest, WithoutItsConfigurationOrItsProgramNothingCanBeRun) {
  ASSERT_TRUE(files_.remove("/usr/bin/certbot"));
  EXPECT_EQ(lineage().no_command, "certbot is not installed");
  ASSERT_TRUE(files_.remove("/etc/letsencrypt/renewal/a.test.conf"));
  EXPECT_THAT(lineage().no_command, HasSubstr("renewal/a.test.conf"));
  EXPECT_EQ(lineage().due, std::nullopt);
}

TEST_F(CertbotTest, WhatOthersMayWriteIsNotObeyed) {
  put_conf("", "", 0666);
  EXPECT_THAT(lineage().renew, IsEmpty());
  EXPECT_THAT(lineage().renew_now, IsEmpty());
  EXPECT_THAT(lineage().no_command, HasSubstr("another user"));
}

TEST_F(CertbotTest, RunByItsTimer) {
  EXPECT_EQ(lineage().scheduled_by, "");
  files_.put("/lib/systemd/system/certbot.timer", "[Timer]\n");
  files_.put("/lib/systemd/system/certbot.service",
             "[Service]\nExecStart=/usr/bin/certbot -q renew --no-random-sleep-on-renew\n");
  files_.put_link("/etc/systemd/system/timers.target.wants/certbot.timer", "x");
  EXPECT_EQ(lineage().scheduled_by, "");
  EXPECT_EQ(lineage().schedule_note, "certbot.timer: systemd does not run this host");
  files_.put("/run/systemd/system/.keep", "");
  EXPECT_EQ(lineage().scheduled_by, "certbot.timer");
}

TEST_F(CertbotTest, AJobForAnotherCertificateOrDirectoryIsNotItsOwn) {
  install("/usr/sbin/cron");
  files_.put("/etc/cron.d/b",
             "1 2 * * * root certbot renew --cert-name b.test\n"
             "1 2 * * * root certbot renew --config-dir /srv/le\n");
  EXPECT_EQ(lineage().scheduled_by, "");
  files_.put("/etc/cron.d/c", "1 2 * * * root certbot renew --cert-name \"$NAME\"\n");
  EXPECT_EQ(lineage().scheduled_by, "/etc/cron.d/c:1");
}

// ---------------------------------------------------------------------------------- lego and uacme

TEST_F(RenewersTest, LegoTellsNothingButItsFiles) {
  install("/usr/bin/lego");
  put_certificate("/etc/lego/certificates/b.test.crt");
  auto found = owner("/etc/lego/certificates/b.test.crt");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->renewer, "lego");
  EXPECT_EQ(found->name, "b.test");
  EXPECT_EQ(found->key_path, "/etc/lego/certificates/b.test.key");
  EXPECT_EQ(found->due, kExpires - days(30));
  EXPECT_THAT(found->renew, IsEmpty());
  EXPECT_THAT(found->no_command, HasSubstr("[[store]]"));
  EXPECT_EQ(owner("/etc/lego/certificates/_.w.test.issuer.crt")->name, "*.w.test");
  EXPECT_FALSE(owner("/etc/lego/accounts/localhost_24100/a@example.test/account.json"));
}

TEST_F(RenewersTest, LegosCronLineTellsTheRest) {
  install("/usr/sbin/cron");
  put_certificate("/etc/lego/certificates/b.test.crt");
  files_.put("/etc/cron.d/lego",
             "1 2 * * * root lego --path /etc/lego -d c.test renew\n"
             "1 2 * * * root lego --path /etc/lego -m a@b.test --http -d b.test -d www.b.test "
             "renew --days 45 --renew-hook 'nginx -s reload'\n");
  auto found = owner("/etc/lego/certificates/b.test.crt");
  EXPECT_EQ(found->scheduled_by, "/etc/cron.d/lego:2");
  EXPECT_EQ(found->due, kExpires - days(45));
  EXPECT_THAT(found->hooks, ElementsAre("nginx -s reload"));
  EXPECT_EQ(found->command_text, "what /etc/cron.d/lego:2 runs");
  ASSERT_EQ(found->renew.size(), 4u);
  EXPECT_THAT(found->renew[3], HasSubstr("-d b.test"));
  EXPECT_THAT(found->renew_now, IsEmpty());
}

TEST_F(RenewersTest, UacmeAndTheConfiguredCommand) {
  put_certificate("/etc/ssl/uacme/c.test/cert.pem");
  files_.put("/etc/ssl/uacme/private/c.test/key.pem", "");
  auto found = owner("/etc/ssl/uacme/private/c.test/key.pem");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->renewer, "uacme");
  EXPECT_EQ(found->certificate_path, "/etc/ssl/uacme/c.test/cert.pem");
  EXPECT_EQ(found->status_undue, 1);
  EXPECT_THAT(found->renew, IsEmpty());
  stores_ = {{"uacme", "/etc/ssl/uacme", {"/usr/bin/uacme", "-h", "/h", "issue", "{name}"}}};
  found = owner("/etc/ssl/uacme/c.test/cert.pem");
  EXPECT_EQ(found->command_text, "/usr/bin/uacme -h /h issue c.test");
  EXPECT_EQ(found->no_command, "");
  EXPECT_EQ(found->due, kExpires - days(30));
}

TEST_F(RenewersTest, UacmesDaysStandInItsCronLine) {
  install("/usr/sbin/cron");
  put_certificate("/etc/ssl/uacme/c.test/cert.pem");
  files_.put("/etc/cron.d/uacme", "6 15 * * * root uacme -h /h -d 20 issue c.test www.c.test\n");
  auto found = owner("/etc/ssl/uacme/c.test/cert.pem");
  EXPECT_EQ(found->due, kExpires - days(20));
  EXPECT_EQ(found->scheduled_by, "/etc/cron.d/uacme:1");
}

// -------------------------------------------------------------------------------------- dehydrated

class DehydratedTest : public RenewersTest {
 protected:
  DehydratedTest() {
    put_certificate("/var/lib/dehydrated/certs/d.test/fullchain-1795353692.pem");
    files_.put_link("/var/lib/dehydrated/certs/d.test/fullchain.pem", "fullchain-1795353692.pem");
    put_certificate("/var/lib/dehydrated/certs/alias-e/fullchain.pem");
    // Debian's own configuration.
    files_.put("/etc/dehydrated/config",
               "# comment\nCONFIG_D=/etc/dehydrated/conf.d\nBASEDIR=/var/lib/dehydrated\n"
               "WELLKNOWN=\"${BASEDIR}/acme-challenges\"\n"
               "DOMAINS_TXT=\"/etc/dehydrated/domains.txt\"\n");
    files_.put("/etc/dehydrated/conf.d/own.sh", "RENEW_DAYS=\"20\"\nHOOK=${BASEDIR}/hook.sh\n");
    files_.put("/etc/dehydrated/conf.d/own.sh.bak", "RENEW_DAYS=1\n");
    files_.put("/etc/dehydrated/domains.txt",
               "# all of them\nD.test  www.d.test\ne.test>alias-e\n");
    install("/usr/bin/dehydrated");
  }
};

TEST_F(DehydratedTest, FollowsItsConfiguration) {
  auto found = owner("/var/lib/dehydrated/certs/d.test/fullchain.pem");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->renewer, "dehydrated");
  EXPECT_EQ(found->name, "d.test");
  EXPECT_EQ(found->due, kExpires - days(20));
  EXPECT_THAT(found->hooks, ElementsAre("/var/lib/dehydrated/hook.sh"));
  EXPECT_THAT(found->renew, ElementsAre("/usr/bin/dehydrated", "--cron", "--config",
                                        "/etc/dehydrated/config", "--domain", "d.test www.d.test"));
  EXPECT_EQ(found->renew_now.back(), "--force");
}

TEST_F(DehydratedTest, AnAliasAndItsOwnSettings) {
  files_.put("/var/lib/dehydrated/certs/alias-e/config", "RENEW_DAYS=10\n");
  auto found = owner("/var/lib/dehydrated/certs/alias-e/fullchain.pem");
  EXPECT_EQ(found->due, kExpires - days(10));
  EXPECT_THAT(found->command_text, HasSubstr("--domain e.test --alias alias-e"));
}

TEST_F(DehydratedTest, WhatItsListDoesNotNameIsNotRenewed) {
  files_.put("/etc/dehydrated/domains.txt", "other.test\n");
  auto found = owner("/var/lib/dehydrated/certs/d.test/fullchain.pem");
  EXPECT_THAT(found->renew, IsEmpty());
  EXPECT_EQ(found->due, std::nullopt);
  EXPECT_EQ(found->no_command, "/etc/dehydrated/domains.txt does not name d.test");
}

TEST_F(DehydratedTest, AConfigurationThatOthersMayWriteIsNotSourcedAsRoot) {
  files_.put("/etc/dehydrated/conf.d/own.sh", "RENEW_DAYS=20\n", 0646);
  EXPECT_THAT(owner("/var/lib/dehydrated/certs/d.test/fullchain.pem")->no_command,
              HasSubstr("conf.d/own.sh may be written by another user"));
}

TEST_F(DehydratedTest, ItsConfigurationMayLieBesideItsCertificates) {
  ASSERT_TRUE(files_.remove("/etc/dehydrated/config"));
  EXPECT_THAT(owner("/var/lib/dehydrated/certs/d.test/fullchain.pem")->no_command,
              HasSubstr("was not found"));
  files_.put("/var/lib/dehydrated/config", "CA=letsencrypt-test\n");
  files_.put("/var/lib/dehydrated/domains.txt", "d.test\n");
  EXPECT_THAT(owner("/var/lib/dehydrated/certs/d.test/fullchain.pem")->command_text,
              HasSubstr("--config /var/lib/dehydrated/config --domain d.test"));
}

// ----------------------------------------------------------------------------------------- acme.sh

class AcmeShTest : public RenewersTest {
 protected:
  AcmeShTest() {
    put_certificate("/root/.acme.sh/f.test_ecc/fullchain.cer");
    put_certificate("/etc/nginx/f.pem");
    files_.put("/root/.acme.sh/f.test_ecc/f.test.conf",
               "Le_Domain='f.test'\nLe_Alt='www.f.test'\nLe_Webroot='/var/www'\nLe_PreHook=''\n"
               "Le_PostHook=''\nLe_RenewHook=''\n"
               "Le_API='https://acme-v02.api.letsencrypt.org/directory'\nLe_Keylength='ec-256'\n"
               "Le_CertCreateTime='1790000000'\nLe_NextRenewTimeStr='2026-11-19T00:00:00Z'\n"
               "Le_NextRenewTime='1795046400'\nLe_RealCertPath=''\nLe_RealCACertPath=''\n"
               "Le_RealKeyPath='/etc/nginx/f.key'\n"
               "Le_ReloadCmd='__ACME_BASE64__START_bmdpbnggLXMgcmVsb2Fk__ACME_BASE64__END_'\n"
               "Le_RealFullChainPath='/etc/nginx/f.pem'\n");
    files_.put("/root/.acme.sh/acme.sh", "#!/usr/bin/env sh\n", 0755);
    files_.put("/root/.acme.sh/account.conf", "LOG_FILE=''\n", 0600);
  }
};

TEST_F(AcmeShTest, KnowsItsNextTurnAndItsCopies) {
  for (const char* path :
       {"/root/.acme.sh/f.test_ecc/fullchain.cer", "/etc/nginx/f.pem", "/etc/nginx/f.key"}) {
    auto found = owner(path);
    ASSERT_TRUE(found) << path;
    EXPECT_EQ(found->renewer, "acme.sh");
    EXPECT_EQ(found->name, "f.test");
    EXPECT_EQ(found->certificate_path, "/root/.acme.sh/f.test_ecc/fullchain.cer");
    EXPECT_EQ(found->due, WallTime(std::chrono::seconds(1795046400)));
    EXPECT_THAT(found->hooks, ElementsAre("nginx -s reload"));
    EXPECT_EQ(found->status_undue, 2);
    EXPECT_THAT(found->renew, ElementsAre("/root/.acme.sh/acme.sh", "--renew", "-d", "f.test",
                                          "--ecc", "--home", "/root/.acme.sh"));
  }
  EXPECT_FALSE(owner("/root/.acme.sh/account.conf"));
}

TEST_F(AcmeShTest, ItsOwnCronLine) {
  install("/usr/sbin/cron");
  files_.put(
      "/var/spool/cron/crontabs/root",
      "26 0 * * * \"/root/.acme.sh\"/acme.sh --cron --home \"/root/.acme.sh\" > /dev/null\n");
  EXPECT_EQ(owner("/etc/nginx/f.pem")->scheduled_by, "/var/spool/cron/crontabs/root:1");
}

TEST_F(AcmeShTest, AScriptThatOthersMayWriteIsNotRun) {
  files_.put("/root/.acme.sh/acme.sh", "#!/usr/bin/env sh\n", 0777);
  EXPECT_THAT(owner("/etc/nginx/f.pem")->renew, IsEmpty());
}

// -------------------------------------------------------------------------------------- certmonger

constexpr const char* kRequest =
    "id=web\nkey_type=RSA\nkey_storage_type=FILE\nkey_storage_location=/etc/pki/web.key\n"
    "cert_storage_type=FILE\ncert_storage_location=/etc/pki/web.crt\ncert=-----BEGIN CERTIFICATE\n"
    " MII=\n -----END CERTIFICATE-----\nstate=MONITORING\nautorenew=1\nmonitor=1\n"
    "ca_name=IPA\npost_certsave_command=/usr/bin/reload-web\n";

TEST_F(RenewersTest, CertmongerTracksFilesAnywhere) {
  files_.put("/var/lib/certmonger/requests/20261101000000", kRequest, 0600);
  files_.put("/var/lib/certmonger/requests/20261101000001",
             "id=nss\ncert_storage_type=NSSDB\ncert_storage_location=/etc/pki/nssdb\n", 0600);
  put_certificate("/etc/pki/web.crt");
  install("/usr/bin/getcert");
  auto found = owner("/etc/pki/web.crt");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->renewer, "certmonger");
  EXPECT_EQ(found->name, "web");
  EXPECT_EQ(found->key_path, "/etc/pki/web.key");
  EXPECT_EQ(found->due, kExpires - days(28));
  EXPECT_THAT(found->hooks, ElementsAre("/usr/bin/reload-web"));
  EXPECT_THAT(found->renew, ElementsAre("/usr/bin/getcert", "resubmit", "-i", "web", "-w"));
  EXPECT_EQ(found->scheduled_by, "");
  files_.put("/run/certmonger.pid", "1\n");
  EXPECT_EQ(owner("/etc/pki/web.key")->scheduled_by, "certmonger.service");
  files_.put("/etc/certmonger/certmonger.conf", "[defaults]\nenroll_ttls = 3600, 864000\n");
  EXPECT_EQ(owner("/etc/pki/web.crt")->due, kExpires - days(10));
  EXPECT_FALSE(owner("/etc/pki/nssdb"));
}

TEST_F(RenewersTest, CertmongerIsAStoreTooAndListsWhatItTracks) {
  files_.put("/var/lib/certmonger/requests/1", kRequest, 0600);
  put_certificate("/etc/pki/web.crt");
  files_.put("/etc/pki/web.key", "", 0600);
  auto found = stored_certificates(files_, {{"certmonger", "/var/lib/certmonger"}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].certificate_path, "/etc/pki/web.crt");
  EXPECT_EQ(found[0].key_path, "/etc/pki/web.key");
}

// ------------------------------------------------------------------------------------------ others

TEST_F(RenewersTest, NobodyRenewsAPlainFile) {
  put_certificate("/etc/ssl/mine.pem");
  EXPECT_FALSE(owner("/etc/ssl/mine.pem"));
  EXPECT_FALSE(owner("/srv/nowhere.pem"));
}

TEST_F(RenewersTest, UnlessTheConfigurationSaysWho) {
  stores_ = {{"directory", "/etc/ssl", {"/usr/local/bin/ask-ca", "{name}.csr"}}};
  put_certificate("/etc/ssl/mine.pem");
  auto found = owner("/etc/ssl/mine.pem");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->renewer, "ask-ca");
  EXPECT_EQ(found->name, "mine");
  EXPECT_EQ(found->command_text, "/usr/local/bin/ask-ca mine.csr");
  EXPECT_EQ(found->due, std::nullopt);
}

TEST_F(RenewersTest, ALinkFromAPlainDirectoryIntoARenewersCounts) {
  put_certificate("/etc/lego/certificates/b.test.crt");
  files_.put_link("/etc/ssl/certs-of-this-host/b.pem", "/etc/lego/certificates/b.test.crt");
  stores_.push_back({"directory", "/etc/ssl/certs-of-this-host"});
  EXPECT_EQ(owner("/etc/ssl/certs-of-this-host/b.pem")->renewer, "lego");
}

}  // namespace
}  // namespace certrebind
