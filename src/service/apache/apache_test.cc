#include "service/apache/apache.h"

#include <gmock/gmock.h>

#include "service/apache/view_for_test.h"

namespace certrebind::apache {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMain = "/etc/apache2/apache2.conf";

struct Served {
  explicit Served(const std::string& host) {
    text = "Listen 443\n<VirtualHost *:443>\nSSLEngine on\n" + host + "</VirtualHost>\n";
    files.put(kMain, text);
    Instance instance;
    instance.executable = "/usr/sbin/apache2";
    instance.given.main_file = kMain;
    instance.given.server_root = "/etc/apache2";
    instance.given.modules = {"core.c", "mod_ssl.c"};
    instance.given.defines = {"X"};
    service = std::make_unique<ApacheService>(instance, files);
  }
  // The text after the edits that make it name these files.
  std::string repointed(const CertificateFiles& to) {
    auto found = service->bindings();
    auto edits = service->repoint(found->bindings.at(0), to);
    EXPECT_TRUE(edits.has_value());
    std::string after = text;
    std::ranges::sort(
        *edits, [](const FileEdit& a, const FileEdit& b) { return b.where.begin < a.where.begin; });
    for (const FileEdit& edit : *edits) {
      EXPECT_EQ(after.substr(edit.where.begin, edit.where.end - edit.where.begin), edit.expected);
      after.replace(edit.where.begin, edit.where.end - edit.where.begin, edit.replacement);
    }
    return after;
  }

  MemoryFiles files;
  std::string text;
  std::unique_ptr<ApacheService> service;
};

TEST(Apache, RepointsItsDirectives) {
  Served served("SSLCertificateFile \\\n old.pem\nSSLCertificateKeyFile \"old.key\"\n");
  EXPECT_THAT(served.repointed({"/n/new.pem", "/n/new \"key"}),
              HasSubstr("SSLCertificateFile \\\n /n/new.pem\n"
                        "SSLCertificateKeyFile \"/n/new \\\"key\"\n"));
}

TEST(Apache, WhereItListens) {
  Served served("SSLCertificateFile old.pem\n");
  served.files.put(kMain,
                   "Listen 80\nListen 127.0.0.1:81 https\nListen 0.0.0.0:82\n"
                   "Listen [::1]:83\nListen 80\n");
  std::vector<std::string> found;
  auto discovery = served.service->bindings();
  ASSERT_TRUE(discovery);
  for (const ListenAddress& one : discovery->listens)
    found.push_back(one.address.text() + " " + one.where);
  const std::string main = kMain;
  EXPECT_THAT(found, ElementsAre("[::]:80 " + main + ":1", "0.0.0.0:80 " + main + ":1",
                                 "127.0.0.1:81 " + main + ":2", "0.0.0.0:82 " + main + ":3",
                                 "[::1]:83 " + main + ":4"));
}

TEST(Apache, AKeyApartGetsADirectiveOfItsOwn) {
  Served served("SSLCertificateFile old.pem\n");
  EXPECT_THAT(served.repointed({"/n/new.pem", "/n/new.key"}),
              HasSubstr("SSLCertificateFile /n/new.pem\nSSLCertificateKeyFile /n/new.key\n"));
  EXPECT_THAT(served.repointed({"/n/all.pem", "/n/all.pem"}),
              HasSubstr("SSLCertificateFile /n/all.pem\n</VirtualHost>"));
}

TEST(Apache, TheChainIsTakenFromTheNewFile) {
  Served served("SSLCertificateFile a\nSSLCertificateKeyFile k\nSSLCertificateChainFile c\n");
  EXPECT_THAT(served.repointed({"/n/full.pem", "/n/key"}),
              HasSubstr("SSLCertificateChainFile /n/full.pem\n"));
}

TEST(Apache, RefusesWhatNoQuotingCanWrite) {
  Served served("SSLCertificateFile a\n");
  auto found = served.service->bindings();
  EXPECT_FALSE(served.service->repoint(found->bindings.at(0), {"/n/${x}", "/n/k"}));
  EXPECT_FALSE(served.service->repoint(found->bindings.at(0), {"/n/a\nb", "/n/k"}));
}

TEST(Apache, IsTestedWithTheArgumentsOfTheMaster) {
  Served served("");
  EXPECT_THAT(served.service->config_test()->arguments,
              ElementsAre("/usr/sbin/apache2", "-d", "/etc/apache2", "-f", kMain, "-D", "X", "-t"));
}

TEST(Apache, IsNotSilentWhereHttpdSeesSomethingElse) {
  Served served("SSLCertificateFile a.pem\n");
  auto discovery = served.service->bindings();
  ASSERT_TRUE(discovery);
  auto doubts = [&](const std::string& printed, int status = 0) {
    CommandOutput view;
    view.status = status;
    view.output = printed;
    std::vector<std::string> texts;
    for (const Diagnostic& doubt : served.service->self_report()->doubts(view, discovery->named))
      texts.push_back(doubt.message);
    return texts;
  };
  EXPECT_THAT(doubts("Server certificates:\n  /etc/apache2/a.pem\nSyntax OK\n"), ElementsAre());
  EXPECT_THAT(doubts("Server certificates:\n  /b.pem\nSyntax OK\n"),
              ElementsAre(HasSubstr("/b.pem"), HasSubstr("/etc/apache2/a.pem")));
  EXPECT_THAT(doubts("Syntax error on line 3", 1), ElementsAre(HasSubstr("line 3")));
}

TEST(Apache, IsRehearsedAwayFromItsOwnFiles) {
  Served served("");
  served.files.put("/var/log/access.log", "");
  served.files.put("/run/lock/x", "");
  served.files.put("/log/dir/x", "");
  served.files.put(kMain,
                   "CustomLog /var/log/access.log \"%h\"\nMutex file:/run/lock default\n"
                   "CustomLog /log/dir/new.log \"%h\"\nErrorLog syslog:x\n");
  auto rehearsal = rehearsal_of(*served.service);
  ASSERT_TRUE(rehearsal);
  EXPECT_THAT(rehearsal->masked, ElementsAre("/var/log/access.log"));
  EXPECT_THAT(rehearsal->forgotten, Contains("/run/lock"));
  EXPECT_THAT(rehearsal->forgotten, Contains("/log/dir"));
  EXPECT_THAT(rehearsal->command.arguments, Contains(std::string("PidFile ") + kScratch + "/pid"));
  EXPECT_EQ(served.service->on_bad_certificate(), OnBadCertificate::dies);
}

}  // namespace
}  // namespace certrebind::apache
