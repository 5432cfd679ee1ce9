#include "service/haproxy/haproxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "service/rooted_for_test.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An HAProxy over files in memory. Certificates named "NAME.pem" are in /c.
class HaproxyTest : public ::testing::Test {
 protected:
  TestCertificate put(const std::string& path, const TestRequest& request) {
    TestCertificate made = authority().issue(request);
    files_.put(path, made.combined());
    return made;
  }
  static const TestAuthority& authority() {
    static const TestAuthority one;
    return one;
  }

  HaproxyService service(const std::string& text, const std::string& version = "2.6.12") {
    files_.put("/h.cfg", text);
    haproxy::Instance instance;
    instance.executable = "/usr/sbin/haproxy";
    instance.started.paths = {"/h.cfg"};
    instance.started.directory = "/work";
    instance.started.environment = {{"E", "/c"}, {"IP", "127.0.0.1"}, {"PORT", "443"}};
    instance.started.build = {version, "+OPENSSL"};
    instance.master =
        SignalReload{.signal = 12, .name = "USR2", .pid = 7, .started = 1, .workers = {}};
    instance.started.peer = "me";
    return HaproxyService(std::move(instance), files_);
  }
  Discovery found(const std::string& text, const std::string& version = "2.6.12") {
    auto discovery = service(text, version).bindings();
    EXPECT_TRUE(discovery);
    return discovery ? std::move(*discovery) : Discovery{};
  }
  static Lines paths(const Discovery& discovery) {
    Lines paths;
    for (const Binding& binding : discovery.bindings) paths.push_back(binding.certificate.path);
    return paths;
  }

  MemoryFiles files_;
};

TEST_F(HaproxyTest, WhereItListens) {
  auto listens = [&](const std::string& text) {
    Lines found;
    auto discovery = service(text).bindings();
    if (!discovery) return found;
    for (const ListenAddress& one : discovery->listens)
      found.push_back(one.address.text() + " " + one.where + (one.shared ? " shared" : ""));
    return found;
  };
  EXPECT_THAT(listens("global\n stats socket /run/x\n stats socket 127.0.0.1:99 level admin\n"
                      "frontend f\n bind :80,:::81\n bind :::82 v4v6\n bind quic4@:443 ssl\n"
                      " bind 192.0.2.1:80 transparent\n bind :90 interface eth0\n"
                      ".if version_atleast(9)\n bind :83\n.endif\n"),
              ElementsAre("127.0.0.1:99 /h.cfg:3 shared", "0.0.0.0:80 /h.cfg:5 shared",
                          "[::]:81 /h.cfg:5 shared", "[::]:82 /h.cfg:6 shared",
                          "0.0.0.0:82 /h.cfg:6 shared"));
  EXPECT_THAT(listens("global\n noreuseport\nfrontend f\n bind 127.0.0.1:80\n"),
              ElementsAre("127.0.0.1:80 /h.cfg:4"));
}

TEST_F(HaproxyTest, ABindLine) {
  put("/c/a.pem", {.names = {"a.test", "www.a.test"}});
  put("/c/b.pem", {.names = {"b.test"}});
  Discovery discovery = found(
      "frontend f\n bind 127.0.0.1:443 accept-proxy ssl crt /c/a.pem alpn crt crt '/c/b.pem'\n");
  ASSERT_EQ(paths(discovery), (Lines{"/c/a.pem", "/c/b.pem"}));
  const Binding& first = discovery.bindings[0];
  EXPECT_EQ(first.site, "a.test");
  EXPECT_EQ(first.names, (Lines{"a.test", "www.a.test"}));
  EXPECT_EQ(first.key.path, "/c/a.pem");
  ASSERT_EQ(first.endpoints.size(), 1U);
  EXPECT_EQ(first.endpoints[0].probe_names, (Lines{"a.test", "www.a.test"}));
  EXPECT_TRUE(first.endpoints[0].without_sni && first.endpoints[0].proxy_protocol);
  EXPECT_FALSE(discovery.bindings[1].endpoints[0].without_sni);
  EXPECT_EQ(discovery.bindings[1].certificate.written, "'/c/b.pem'");
  EXPECT_TRUE(discovery.looked_at.contains("/c/a.pem"));
  EXPECT_TRUE(discovery.diagnostics.empty());
}

TEST_F(HaproxyTest, DirectoriesBundlesAndWhatLiesBeside) {
  for (const char* name : {"b.pem", "A.pem", "x.pem.rsa", "x.pem.ecdsa", ".hidden"})
    put(std::string("/c/d/") + name, {.names = {"a.test"}});
  for (const char* name : {"b.pem.ocsp", "b.pem.issuer", "b.pem.sctl"})
    files_.put(std::string("/c/d/") + name, "x");
  TestCertificate split = authority().issue({.names = {"s.test"}});
  files_.put("/c/s.pem", split.chain_pem);
  files_.put("/c/s.pem.key", split.key_pem);
  Discovery discovery = found(
      "frontend f\n bind :443 ssl crt /c/d\n bind :444 ssl crt /c/d/x.pem crt \"$E/s.pem\" "
      "strict-sni\n");
  EXPECT_EQ(paths(discovery),
            (Lines{"/c/d/A.pem", "/c/d/b.pem", "/c/d/x.pem.ecdsa", "/c/d/x.pem.rsa",
                   "/c/d/x.pem.ecdsa", "/c/d/x.pem.rsa", "/c/s.pem"}));
  EXPECT_EQ(discovery.bindings[1].companions.size(), 3U);
  EXPECT_EQ(discovery.bindings[6].key.path, "/c/s.pem.key");
  EXPECT_FALSE(discovery.bindings[4].endpoints[0].without_sni);
  // No word names exactly one of these files.
  for (const Binding& binding : discovery.bindings) EXPECT_EQ(binding.certificate.written, "");
  EXPECT_THAT(discovery.configured_by, ::testing::Contains("/c/d"));
}

TEST_F(HaproxyTest, ListsStoresAndUses) {
  for (const char* name : {"a", "b", "c", "d"})
    put(std::string("/c/") + name + ".pem", {.names = {std::string(name) + ".test"}});
  files_.put("/c/k.key", "");
  files_.put("/list", "# x\n\n/c/a.pem [alpn h2] A.test !b.a.test\n@web/second\n");
  Discovery discovery = found(
      "crt-store web\n crt-base /c\n load crt b.pem key /c/k.key alias second\n"
      "frontend f\n bind :443 ssl crt-list /list\n ssl-f-use crt /c/c.pem key /c/k.key\n"
      "backend b\n server one 1.2.3.4:1 ssl crt /c/a.pem crt /c/d.pem\n");
  ASSERT_EQ(paths(discovery), (Lines{"/c/a.pem", "/c/b.pem", "/c/c.pem", "/c/d.pem"}));
  EXPECT_EQ(discovery.bindings[0].names, Lines{"a.test"});
  EXPECT_EQ(discovery.bindings[0].certificate.where.file, "/list");
  EXPECT_EQ(discovery.bindings[0].certificate.where.line, 3);
  EXPECT_EQ(discovery.bindings[1].key.path, "/c/k.key");
  EXPECT_EQ(discovery.bindings[2].key.written, "/c/k.key");
  EXPECT_EQ(discovery.bindings[3].role, Role::client);
  EXPECT_EQ(discovery.bindings[3].site, "backend b/one");
}

TEST_F(HaproxyTest, KeysThatAreNamedApart) {
  for (const char* name : {"a", "b", "c"})
    put(std::string("/c/") + name + ".pem", {.names = {std::string(name) + ".test"}});
  files_.put("/list", "/c/a.pem [alpn h2 key /k/a.key] a.test\n/c/b.pem [key b.key]\n/c/c.pem\n");
  Discovery discovery = found(
      "global\n key-base /k\n"
      "crt-store\n load crt /c/c.pem key c.key\n load crt /c/c.pem key /k/c.key alias third\n"
      "frontend f\n bind :443 ssl crt-list /list\n bind :444 ssl crt /c/c.pem\n"
      " bind :445 ssl crt @/third\n");
  ASSERT_EQ(discovery.bindings.size(), 5U);
  Lines keys;
  for (const Binding& binding : discovery.bindings) {
    keys.push_back(binding.key.path);
    EXPECT_EQ(binding.certificate.written, "") << "what stands there names one of two files only";
  }
  EXPECT_EQ(keys, (Lines{"/k/a.key", "/work/b.key", "/k/c.key", "/k/c.key", "/k/c.key"}))
      << "key-base is for stores only";
}

// Which file "crt" means, by the bases of the lines above it.
TEST_F(HaproxyTest, BasesOfPaths) {
  auto files = [&](const std::string& text) {
    Lines found_files;
    for (const Binding& binding : found(text, "3.2.0").bindings)
      found_files.push_back(binding.certificate.path + " " + binding.key.path);
    return found_files;
  };
  for (const char* path : {"/g/a.pem", "/s/a.pem", "/work/r/a.pem", "/cf/a.pem", "/work/a.pem"})
    put(path, {.names = {"a.test"}});
  const std::string globals = "global\n crt-base /g\n key-base /gk\n";
  const std::string use = "frontend f\n bind :1 ssl crt ";
  EXPECT_EQ(files(globals + use + "a.pem\n"), Lines{"/g/a.pem /g/a.pem"});
  EXPECT_EQ(files("global\n crt-base r\n" + use + "a.pem\n"), Lines{"/work/r/a.pem /work/r/a.pem"});
  // A store begins with the global bases, and may have its own.
  EXPECT_EQ(files(globals + "crt-store w\n load crt a.pem key a.key\n" + use + "@w/a.pem\n"),
            Lines{"/g/a.pem /gk/a.key"});
  EXPECT_EQ(files(globals + "crt-store w\n crt-base /s\n load crt a.pem key a.key\n" + use +
                  "@w/a.pem\n"),
            Lines{"/s/a.pem /gk/a.key"});
  EXPECT_EQ(files("crt-store w\n load crt /s/a.pem\n" + use + "@w/s/a.pem\n"),
            Lines{"/s/a.pem /s/a.pem"});
  // In the store without a name the file is known by its path in the global base.
  EXPECT_EQ(
      files(globals + "crt-store\n crt-base /s\n load crt a.pem key a.key\n" + use + "/g/a.pem\n"),
      Lines{"/s/a.pem /gk/a.key"});
  // key-base is not for ssl-f-use and not for crt-lists.
  EXPECT_EQ(files(globals + "frontend f\n bind :1 ssl\n ssl-f-use crt a.pem key a.key\n"),
            Lines{"/g/a.pem /work/a.key"});
  EXPECT_EQ(files("global\n default-path origin /cf\n" + use + "a.pem\n"),
            Lines{"/cf/a.pem /cf/a.pem"});
  // What was loaded under a name keeps it.
  EXPECT_EQ(files("global\n default-path origin /cf\n" + use +
                  "a.pem\nglobal\n default-path current\nfrontend g\n bind :2 ssl crt a.pem\n"),
            (Lines{"/cf/a.pem /cf/a.pem", "/cf/a.pem /cf/a.pem"}));
}

TEST_F(HaproxyTest, WhatIsShownWithoutAName) {
  for (const char* name : {"a", "b", "c"})
    put(std::string("/c/") + name + ".pem", {.names = {std::string(name) + ".test"}});
  for (const char* name : {"r", "s"})
    put(std::string("/c/") + name + ".pem",
        {.names = {std::string(name) + ".test"}, .key = TestKey::rsa2048});
  put("/c/x.pem.ecdsa", {.names = {"x.test"}});
  put("/c/x.pem.rsa", {.names = {"x.test"}, .key = TestKey::rsa2048});
  put("/c/d/1.pem", {.names = {"d.test"}});
  put("/c/d/2.pem", {.names = {"d.test"}, .key = TestKey::rsa2048});
  files_.put("/list", "/c/a.pem\n/c/r.pem *\n/c/b.pem *\n");
  files_.put("/bundle", "/c/x.pem\n");
  auto defaults = [&](const std::string& bind, const std::string& version) {
    std::string names;
    for (const Binding& binding :
         found("frontend f\n bind :443 ssl " + bind + "\n", version).bindings)
      if (binding.endpoints.at(0).without_sni) names += file_name(binding.certificate.path) + " ";
    return names;
  };
  const std::string more = "crt /c/r.pem default-crt /c/s.pem default-crt /c/a.pem";
  EXPECT_EQ(defaults(more, "3.0.1"), "r.pem a.pem ") << "of each type the first";
  EXPECT_EQ(defaults(more + " strict-sni", "3.0.1"), "");
  EXPECT_EQ(defaults(more + " strict-sni no-strict-sni", "3.2.0"), "r.pem a.pem ");
  EXPECT_EQ(defaults("crt /c/a.pem crt /c/r.pem", "3.0.1"), "a.pem ");
  const std::string strict = "\nglobal\n ssl-default-bind-options strict-sni\n";
  EXPECT_EQ(defaults("crt /c/a.pem" + strict, "3.2.0"), "");
  EXPECT_EQ(defaults("no-strict-sni crt /c/a.pem" + strict, "3.2.0"), "a.pem ");
  EXPECT_EQ(defaults("no-strict-sni ssl crt /c/a.pem" + strict, "3.2.0"), "") << "`ssl` applies it";
  EXPECT_EQ(defaults("crt /c/x.pem crt /c/a.pem", "3.0.1"), "x.pem.ecdsa x.pem.rsa ");
  EXPECT_EQ(defaults("crt /c/x.pem crt /c/a.pem", "2.6.12"), "x.pem.ecdsa ");
  EXPECT_EQ(defaults("crt /c/r.pem default-crt /c/x.pem", "3.0.1"), "r.pem x.pem.ecdsa ");
  EXPECT_EQ(defaults("crt /c/d", "3.0.1"), "1.pem ");
  EXPECT_EQ(defaults("crt /c/r.pem default-crt /c/d", "3.0.1"), "r.pem ");
  EXPECT_EQ(defaults("crt-list /list", "3.0.1"), "a.pem r.pem ");
  EXPECT_EQ(defaults("crt-list /list", "2.6.12"), "a.pem ");
  EXPECT_EQ(defaults("crt-list /bundle", "3.0.1"), "x.pem.ecdsa ");
  EXPECT_EQ(defaults("\n ssl-f-use crt /c/a.pem\n ssl-f-use crt /c/r.pem", "3.2.0"), "r.pem ");
  EXPECT_EQ(defaults("crt /c/a.pem\n ssl-f-use crt /c/b.pem", "3.2.0"), "a.pem ");
}

TEST_F(HaproxyTest, PeersListenToo) {
  for (const char* name : {"a", "b", "c"})
    put(std::string("/c/") + name + ".pem", {.names = {std::string(name) + ".test"}});
  auto places = [&](const std::string& text) {
    Lines found_places;
    for (const Binding& binding : found("peers p\n" + text).bindings)
      found_places.push_back(file_name(binding.certificate.path) + " " +
                             (binding.role == Role::client ? "client " + binding.site
                              : binding.endpoints.at(0).unproven.empty()
                                  ? binding.endpoints.at(0).listens
                                  : binding.endpoints.at(0).unproven));
    return found_places;
  };
  EXPECT_EQ(places(" default-bind ssl crt /c/a.pem\n peer me 127.0.0.1:1\n"
                   " peer other 127.0.0.1:2 ssl crt /c/b.pem\n"),
            (Lines{"a.pem 127.0.0.1:1", "b.pem client peers p/other"}));
  EXPECT_EQ(places(" peer me ${IP}:1\n default-bind ssl crt /c/a.pem\n"),
            Lines{"a.pem 127.0.0.1:1"});
  EXPECT_EQ(
      places(" bind 127.0.0.1:3 crt /c/a.pem\n default-bind ssl crt /c/b.pem\n"
             " default-server ssl crt /c/c.pem\n server me\n"),
      (Lines{"a.pem 127.0.0.1:3", "b.pem 127.0.0.1:3", "c.pem client peers p/default-server"}));
  EXPECT_THAT(places(" default-bind ssl crt /c/a.pem\n peer other 127.0.0.1:1\n"),
              ElementsAre(HasSubstr("no peer of the section is named me")));
  EXPECT_THAT(places(" default-bind ssl crt /c/a.pem\n peer me 127.0.0.1:1\n disabled\n"),
              ElementsAre(HasSubstr("disabled")));
  EXPECT_EQ(places(" peer me 127.0.0.1:1 ssl crt /c/a.pem\n"), Lines{"a.pem client peers p/me"});
}

TEST_F(HaproxyTest, WhereElseCertificatesAreNamed) {
  put("/c/a.pem", {.names = {"a.test"}});
  Discovery discovery = found(
      "log-forward l\n bind :6514 ssl crt /c/a.pem\n"
      "backend b\n server-template s 2 x.test:1 ssl crt /c/a.pem\n"
      "ring r\n server x 127.0.0.1:1 ssl crt /c/a.pem\n");
  ASSERT_EQ(discovery.bindings.size(), 3U);
  EXPECT_EQ(discovery.bindings[0].endpoints.at(0).listens, ":6514");
  EXPECT_THAT(discovery.bindings[0].endpoints.at(0).unproven, HasSubstr("log-forward"));
  EXPECT_EQ(discovery.bindings[1].site, "backend b/s");
  EXPECT_EQ(discovery.bindings[2].site, "ring r/x");
}

TEST_F(HaproxyTest, ACertificateWithoutTlsIsNoted) {
  put("/c/a.pem", {.names = {"a.test"}});
  for (const char* word : {"crt", "default-crt"}) {
    Discovery discovery = found("frontend f\n bind :1 " + std::string(word) + " /c/a.pem\n");
    EXPECT_TRUE(discovery.bindings.empty());
    ASSERT_EQ(discovery.diagnostics.size(), 1U) << word;
    EXPECT_EQ(discovery.diagnostics[0].severity, Severity::note);
  }
}

TEST_F(HaproxyTest, WhatOptionsNameBesideACertificate) {
  put("/c/a.pem", {.names = {"a.test"}});
  for (const char* path : {"/o/a.ocsp", "/o/a.issuer", "/c/a.pem.sctl"}) files_.put(path, "x");
  const std::string options = "ocsp /o/a.ocsp issuer /o/a.issuer";
  files_.put("/list", "/c/a.pem [" + options + "] a.test\n");
  for (const std::string& text :
       {"crt-store w\n load crt /c/a.pem " + options +
            "\nfrontend f\n bind :1 ssl crt @w/c/a.pem\n",
        std::string("frontend f\n bind :1 ssl crt-list /list\n"),
        "frontend f\n bind :1 ssl\n ssl-f-use crt /c/a.pem " + options + "\n"}) {
    Discovery discovery = found(text, "3.2.0");
    ASSERT_EQ(discovery.bindings.size(), 1U) << text;
    const Binding& binding = discovery.bindings[0];
    ASSERT_EQ(binding.companions.size(), 2U) << "HAProxy looks for no other files";
    EXPECT_EQ(binding.companions[0].path, "/o/a.ocsp");
    EXPECT_EQ(binding.companions[1].kind, Companion::Kind::issuer);
    EXPECT_EQ(binding.certificate.written, "") << "the line names files of one certificate";
  }
}

TEST_F(HaproxyTest, WhatHaproxyRenewsItself) {
  put("/c/a.pem", {.names = {"a.test"}});
  const std::string socket = "global\n stats socket /run/a.sock level admin\n";
  const std::string text =
      "crt-store\n load crt /c/a.pem acme LE domains a.test alias \"it's\"\n"
      "frontend f\n bind :1 ssl crt \"@/it's\"\n";
  Binding binding = found(socket + text, "3.2.0").bindings.at(0);
  EXPECT_TRUE(binding.renews_in_memory);
  EXPECT_EQ(binding.prints_memory,
            "echo 'dump ssl cert @/it'\\''s' | socat - 'UNIX-CONNECT:/run/a.sock'");
  std::string with_tab = text;
  for (size_t at; (at = with_tab.find("it's")) != std::string::npos;)
    with_tab.replace(at, 4, "it\\t");
  EXPECT_EQ(found(socket + with_tab, "3.2.0").bindings.at(0).prints_memory, "");
  EXPECT_EQ(found(text, "3.2.0").bindings.at(0).prints_memory, "");
  // For socat(1) this is more than a path, and a person would paste it as root.
  const std::string program = "global\n stats socket \"/s!!EXEC:/x\" level admin\n";
  EXPECT_EQ(found(program + text, "3.2.0").bindings.at(0).prints_memory, "");
  EXPECT_FALSE(found("frontend f\n bind :1 ssl crt /c/a.pem\n").bindings.at(0).renews_in_memory);
}

TEST_F(HaproxyTest, VariablesInAddressesNeedNoQuotes) {
  put("/c/a.pem", {.names = {"a.test"}});
  Discovery discovery = found(
      "global\n setenv SD /run\n stats socket ${SD}/a.sock level admin\n"
      "frontend f\n bind ${IP}:${PORT} ssl crt /c/a.pem\n");
  EXPECT_EQ(discovery.bindings.at(0).endpoints.at(0).address.text(), "127.0.0.1:443");
  EXPECT_EQ(service("global\n stats socket ${E}/a.sock level admin\nfrontend f\n"
                    " bind :1 ssl crt /c/a.pem\n")
                .reload()
                .live({"/c/a.pem"})
                ->address()
                .text(),
            "unix:/c/a.sock");
}

TEST_F(HaproxyTest, CipherSuites) {
  put("/c/a.pem", {.names = {"a.test"}});
  files_.put("/list", "/c/a.pem [ciphers ONE] a.test\n/c/a.pem\n");
  Discovery discovery = found(
      "global\n ssl-default-bind-ciphers ALL\n"
      "frontend f\n bind :443 ssl crt-list /list\n bind :444 ssl crt /c/a.pem ciphers TWO\n"
      " bind :445 ssl crt /c/a.pem ssl-min-ver TLSv1.3\n");
  Lines ciphers;
  for (const Binding& binding : discovery.bindings) ciphers.push_back(binding.ciphers);
  EXPECT_EQ(ciphers, (Lines{"ONE", "ALL", "TWO", ""}));
}

TEST_F(HaproxyTest, WhatCannotBeJudgedIsReadAndNotEdited) {
  put("/c/a.pem", {.names = {"a.test"}});
  Discovery discovery =
      found(".if enabled(POLL)\nfrontend f\n bind :443 ssl crt /c/a.pem\n.endif\n");
  ASSERT_EQ(discovery.bindings.size(), 1U);
  EXPECT_NE(discovery.bindings[0].not_editable, "");
  ASSERT_EQ(discovery.diagnostics.size(), 1U);
  EXPECT_EQ(discovery.diagnostics[0].line, 1);
}

TEST_F(HaproxyTest, WhatHaproxyWouldRefuseIsSaid) {
  Discovery discovery = found(
      "frontend f\n bind :443 ssl crt /nowhere\n bind :444 ssl crt-list /nolist\n"
      " bind \"x\n.else\n.if 1\n bind :445 ssl crt /c\nno end");
  Lines said;
  for (const Diagnostic& diagnostic : discovery.diagnostics) said.push_back(diagnostic.text());
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("/h.cfg:2:20: /nowhere: there is no such file")));
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("unmatched quote")));
  EXPECT_THAT(said, ::testing::Contains(HasSubstr(".else without .if")));
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("no .endif")));
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("cut off")));
}

TEST_F(HaproxyTest, EndpointsThatNobodyCanAsk) {
  put("/c/a.pem", {.names = {"a.test"}});
  put("/c/b.pem", {.names = {"a.test"}});
  Discovery discovery = found(
      "frontend f\n bind quic4@:443 ssl crt /c/a.pem\n bind fd@3 ssl crt /c/a.pem\n"
      " bind 127.0.0.1:1 ssl crt /c/a.pem\n bind 127.0.0.1:1 ssl crt /c/b.pem\n"
      " bind :444 ssl crt /c/a.pem crt /c/b.pem\n");
  Lines reasons;
  for (const Binding& binding : discovery.bindings)
    reasons.push_back(binding.endpoints[0].unproven);
  EXPECT_THAT(reasons, ElementsAre(HasSubstr("QUIC"), HasSubstr("hands over"), HasSubstr("shares"),
                                   HasSubstr("shares"), "", HasSubstr("other certificates")));
}

// In any form of an address: the kernel gives a connection to any line that has it.
TEST_F(HaproxyTest, LinesThatShareAnAddress) {
  put("/c/a.pem", {.names = {"a.test"}});
  put("/c/b.pem", {.names = {"b.test"}});
  auto unproven = [&](const std::string& one, const std::string& other) {
    Discovery discovery = found("frontend x\n bind " + one + "\nfrontend y\n bind " + other + "\n");
    return !discovery.bindings.at(0).endpoints.at(0).unproven.empty();
  };
  const std::string a = ":443 ssl crt /c/a.pem", b = ":443 ssl crt /c/b.pem";
  EXPECT_TRUE(unproven("*" + a, "ipv4@*" + b));
  EXPECT_TRUE(unproven(a, "0.0.0.0" + b));
  EXPECT_TRUE(unproven("::" + a, "ipv6@" + b));
  EXPECT_TRUE(unproven("::" + a + " v4v6", "*" + b));
  EXPECT_TRUE(unproven("*" + a, "ipv4@" + a + " strict-sni"));
  EXPECT_FALSE(unproven("*" + a, "ipv4@" + a));
  EXPECT_FALSE(unproven("*" + a, "::" + b));
  EXPECT_FALSE(unproven("127.0.0.1" + a, "*" + b));
}

TEST_F(HaproxyTest, RepointsOnlyToWhatItFindsTheKeyOf) {
  put("/c/a.pem", {.names = {"a.test"}});
  HaproxyService haproxy = service("frontend f\n bind :443 ssl crt \"/c/a.pem\"\n");
  Binding binding = haproxy.bindings()->bindings.at(0);
  auto edits = haproxy.repoint(binding, {"/new.pem", "/new.pem"});
  ASSERT_TRUE(edits);
  ASSERT_EQ(edits->size(), 1U);
  EXPECT_EQ(edits->at(0).expected, "\"/c/a.pem\"");
  EXPECT_EQ(edits->at(0).replacement, "/new.pem");
  EXPECT_TRUE(haproxy.repoint(binding, {"/new.pem", "/new.pem.key"}));
  for (const CertificateFiles& files :
       {CertificateFiles{"/fullchain.pem", "/privkey.pem"}, CertificateFiles{"/a b", "/a b"}}) {
    auto refused = haproxy.repoint(binding, files);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unsupported);
  }
}

TEST_F(HaproxyTest, TestsFromWhereTheMasterStands) {
  auto test = service("").config_test();
  EXPECT_THAT(test->arguments,
              ElementsAre("/usr/sbin/haproxy", "-c", "-C", "/work", "-L", "me", "-f", "/h.cfg"));
  EXPECT_THAT(*test->environment, ElementsAre("E=/c", "IP=127.0.0.1", "PORT=443"));
}

TEST_F(HaproxyTest, BringsUpCertificatesAndNothingElseOverTheSocket) {
  TestCertificate made = put("/c/a.pem", {.names = {"a.test"}});
  std::string text = "frontend f\n bind :443 ssl crt /c/a.pem\n";
  EXPECT_EQ(service(text).reload().live({"/c/a.pem"}), nullptr);  // no socket
  HaproxyService haproxy = service("global\n stats socket /s level admin\n" + text);
  EXPECT_EQ(haproxy.reload().live({"/c/a.pem", "/h.cfg"}), nullptr);
  EXPECT_EQ(haproxy.reload().live({}), nullptr);
  auto live = haproxy.reload().live({"/c/a.pem"});
  ASSERT_NE(live, nullptr);
  EXPECT_EQ(live->address().text(), "unix:/s");
  auto update = live->update(false);
  ASSERT_TRUE(update);
  (*update)->hear("No ongoing transaction!\n");
  std::string request = (*update)->request().value_or("");
  EXPECT_TRUE(request.starts_with("set ssl cert /c/a.pem <<\n-----BEGIN CERTIFICATE-----\n"));
  EXPECT_EQ(request.find("\n\n"), request.size() - 2);
  EXPECT_THAT(request, HasSubstr("PRIVATE KEY-----\n"));
}

// HAProxy looks at a replaced certificate after all others for the same name.
TEST_F(HaproxyTest, OverTheSocketNoCertificateLosesItsPlace) {
  put("/c/a.pem", {.names = {"a.test", "x.test"}});
  put("/c/b.pem", {.names = {"b.test", "x.test"}});
  put("/c/r.pem", {.names = {"x.test"}, .key = TestKey::rsa2048});
  put("/c/w.pem", {.names = {"*.test"}});
  files_.put("/list", "/c/a.pem a.test\n/c/b.pem b.test\n/c/a.pem x.test\n");
  auto is_live = [&](const std::string& bind, const std::string& file) {
    const std::string text = "global\n stats socket /s level admin\nfrontend f\n bind :443 ssl ";
    return service(text + bind + "\n", "3.0.1").reload().live({file}) != nullptr;
  };
  EXPECT_FALSE(is_live("crt /c/a.pem crt /c/b.pem", "/c/a.pem"));
  EXPECT_TRUE(is_live("crt /c/a.pem crt /c/b.pem", "/c/b.pem")) << "it was behind before";
  EXPECT_TRUE(is_live("crt /c/a.pem crt /c/r.pem crt /c/w.pem", "/c/a.pem"));
  EXPECT_TRUE(is_live("crt-list /list", "/c/a.pem")) << "the same one, twice";
  EXPECT_FALSE(is_live("crt /c/w.pem default-crt /c/a.pem", "/c/w.pem"));
  EXPECT_TRUE(is_live("crt /c/w.pem default-crt /c/a.pem", "/c/a.pem"));
}

TEST_F(HaproxyTest, WhatTheSocketCannotTakeNeedsAReload) {
  put("/c/a.pem", {.names = {"a.test"}});
  auto live = service(
                  "global\n tune.bufsize 1500\n stats socket /s level admin\n"
                  "frontend f\n bind :443 ssl crt /c/a.pem\n")
                  .reload()
                  .live({"/c/a.pem"});
  ASSERT_NE(live, nullptr);
  EXPECT_FALSE(live->update(false));
  files_.put("/c/a.pem", "garbage");
  EXPECT_FALSE(live->update(false));
}

}  // namespace
}  // namespace certrebind
