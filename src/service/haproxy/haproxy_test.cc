#include "service/haproxy/haproxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

  HaproxyService service(const std::string& text) {
    files_.put("/h.cfg", text);
    haproxy::Instance instance;
    instance.executable = "/usr/sbin/haproxy";
    instance.started.paths = {"/h.cfg"};
    instance.started.directory = "/work";
    instance.started.environment = {{"E", "/c"}};
    instance.started.build = {"2.6.12", "+OPENSSL"};
    instance.master =
        SignalReload{.signal = 12, .name = "USR2", .pid = 7, .started = 1, .workers = {}};
    instance.peer = "me";
    return HaproxyService(std::move(instance), files_);
  }
  Discovery found(const std::string& text) {
    auto discovery = service(text).bindings();
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
      "backend b\n server one 1.2.3.4:1 ssl crt /c/d.pem\n");
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
      "crt-store\n crt-base /c\n key-base /k\n load crt c.pem key c.key alias third\n"
      "frontend f\n bind :443 ssl crt-list /list\n bind :444 ssl crt /c/c.pem\n"
      " bind :445 ssl crt @/third\n");
  ASSERT_EQ(discovery.bindings.size(), 5U);
  Lines keys;
  for (const Binding& binding : discovery.bindings) {
    keys.push_back(binding.key.path);
    EXPECT_EQ(binding.certificate.written, "") << "what stands there names one of two files only";
  }
  EXPECT_EQ(keys, (Lines{"/k/a.key", "/k/b.key", "/k/c.key", "/k/c.key", "/k/c.key"}));
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
  EXPECT_THAT(*test->environment, ElementsAre("E=/c"));
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
