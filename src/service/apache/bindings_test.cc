#include "service/apache/bindings.h"

#include <gmock/gmock.h>

#include "service/apache/view_for_test.h"

namespace certrebind::apache {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string host(const std::string& address, const std::string& name, const std::string& more,
                 bool engine = true) {
  return "<VirtualHost " + address + ">\n" + (name.empty() ? "" : "ServerName " + name + "\n") +
         (engine ? "SSLEngine on\n" : "") + more + "\n</VirtualHost>\n";
}

std::string certificate(const std::string& name) {
  return "SSLCertificateFile /c/" + name + ".pem\nSSLCertificateKeyFile /c/" + name + ".key";
}

std::vector<std::string> lines_of(const std::string& text) {
  return binding_lines(View::of(text).discovery());
}

TEST(ApacheBindings, NameBasedHosts) {
  EXPECT_THAT(lines_of("Listen 443\n" + host("*:443", "A.test", certificate("a")) +
                       host("_default_:443", "https://b.test:443",
                            "ServerAlias www.b.test *.b.test\n" + certificate("b"))),
              ElementsAre("a.test a.pem @127.0.0.1:443 a.test -",
                          "b.test b.pem @127.0.0.1:443 b.test www.b.test certrebind-probe.b.test"));
}

// httpd chooses the first host with the name, even through a wildcard.
TEST(ApacheBindings, AnEarlierWildcardBeatsALaterName) {
  EXPECT_THAT(lines_of("Listen 443\n" + host("*:443", "a.test", certificate("a")) +
                       host("*:443", "w.test", "ServerAlias *.x.test\n" + certificate("w")) +
                       host("*:443", "b.x.test", certificate("b"))),
              ElementsAre("a.test a.pem @127.0.0.1:443 a.test -",
                          "w.test w.pem @127.0.0.1:443 w.test certrebind-probe.x.test",
                          "b.x.test b.pem @127.0.0.1:443 UNPROVEN"));
}

TEST(ApacheBindings, OfSeveralServerNamesTheLastCounts) {
  View view = View::of(
      "Listen 443\n" +
      host("*:443", "a.test", "ServerAlias c.test\nServerName b.test\n" + certificate("a")) +
      host("*:443", "a.test", certificate("b")));
  Discovery found = view.discovery();
  EXPECT_THAT(binding_lines(found), ElementsAre("b.test a.pem @127.0.0.1:443 b.test c.test -",
                                                "a.test b.pem @127.0.0.1:443 a.test"));
  EXPECT_THAT(found.bindings.at(0).names, ElementsAre("b.test", "c.test"));
}

// Only a host for all addresses inherits it, and only the first one gets it.
TEST(ApacheBindings, InheritsTheMainServersName) {
  View view =
      View::of("Listen 443\nServerName x.test\nServerName m.test\n" +
               host("*:443", "a.test", certificate("a")) + host("*:443", "", certificate("b")) +
               host("*:443", "", certificate("c")) + host("192.0.2.2:443", "", certificate("d")));
  Discovery found = view.discovery();
  EXPECT_THAT(
      binding_lines(found),
      ElementsAre("a.test a.pem @127.0.0.1:443 a.test -", "m.test b.pem @127.0.0.1:443 m.test",
                  "m.test c.pem @127.0.0.1:443 UNPROVEN", "192.0.2.2:443 d.pem @192.0.2.2:443 -"));
  EXPECT_THAT(found.bindings.at(1).names, ElementsAre("m.test"));
  EXPECT_THAT(found.bindings.at(2).names, IsEmpty());
  EXPECT_TRUE(found.bindings.at(2).never_chosen);
}

TEST(ApacheBindings, LocalhostIsNoSitesName) {
  Discovery found =
      View::of("Listen 443\nServerName localhost\n" + host("*:443", "", certificate("a")))
          .discovery();
  EXPECT_THAT(binding_lines(found), ElementsAre("localhost a.pem @127.0.0.1:443 localhost -"));
  EXPECT_THAT(found.bindings.at(0).names, IsEmpty());
}

// Whatever the later host is called, an earlier one answers.
TEST(ApacheBindings, KnowsWhichHostIsNeverChosen) {
  auto never = [](const std::string& names) {
    Discovery found =
        View::of("Listen 443\n" + host("*:443", "a.test", certificate("a")) +
                 host("*:443", "w.test", "ServerAlias *.x.test b.test\n" + certificate("w")) +
                 host("*:443", "b.test", names + "\n" + certificate("b")))
            .discovery();
    return found.bindings.at(2).never_chosen;
  };
  EXPECT_TRUE(never(""));
  EXPECT_TRUE(never("ServerAlias a.test y.x.test *.y.x.test"));
  EXPECT_FALSE(never("ServerAlias c.test"));
  EXPECT_FALSE(never("ServerAlias *.test"));
  EXPECT_FALSE(never("ServerName c.test"));
}

TEST(ApacheBindings, AddressesOfTheirOwn) {
  EXPECT_THAT(
      lines_of(
          "Listen 443\nListen [::1]:8443\n" + host("127.0.0.1:443", "a.test", certificate("a")) +
          host("*:443", "b.test", certificate("b")) + host("[::1]", "c.test", certificate("c"))),
      ElementsAre("a.test a.pem @127.0.0.1:443 a.test -", "b.test b.pem @127.0.0.2:443 b.test -",
                  "c.test c.pem @[::1]:443 c.test -", "c.test c.pem @[::1]:8443 c.test -"));
}

// "*", "0.0.0.0" and "[::]" are one list of hosts; an IPv4 address may be written as one of IPv6.
TEST(ApacheBindings, AllAddressesAreOneList) {
  EXPECT_THAT(
      lines_of("Listen 443\n" + host("0.0.0.0:443", "a.test", certificate("a")) +
               host("*:443", "b.test", certificate("b")) +
               host("[::]:443", "c.test", certificate("c"))),
      ElementsAre("a.test a.pem @127.0.0.1:443 a.test -", "b.test b.pem @127.0.0.1:443 b.test",
                  "c.test c.pem @127.0.0.1:443 c.test"));
  EXPECT_THAT(
      lines_of("Listen [::ffff:192.0.2.1]:443\n" +
               host("192.0.2.1:443", "a.test", certificate("a")) +
               host("[::ffff:192.0.2.1]:443", "b.test", certificate("b"))),
      ElementsAre("a.test a.pem @192.0.2.1:443 a.test -", "b.test b.pem @192.0.2.1:443 b.test"));
}

TEST(ApacheBindings, AnAddressWithoutAPortTakesTheMainServers) {
  EXPECT_THAT(lines_of("Listen 443\nListen 8443\nServerName m.test:8443\n" +
                       host("192.0.2.1", "a.test", certificate("a"))),
              ElementsAre("a.test a.pem @192.0.2.1:8443 a.test -"));
}

// Without SSLEngine a named certificate is enough if the listener's protocol is https and the
// listener has exactly the host's address.
TEST(ApacheBindings, TlsWithoutSslEngine) {
  auto line = [](const std::string& listen, const std::string& address, const std::string& name) {
    return lines_of(listen + "\n" + host(address, name, certificate("a"), false));
  };
  const auto shown = ElementsAre("a.test a.pem @127.0.0.1:443 a.test -");
  EXPECT_THAT(line("Listen 443", "*:443", "a.test"), shown);
  EXPECT_THAT(line("Listen *:443", "[::]:443", "a.test"),
              ElementsAre("a.test a.pem @127.0.0.1:443 a.test -"));
  EXPECT_THAT(line("Listen 0.0.0.0:443", "*:443", "a.test"), shown);
  EXPECT_THAT(line("Listen 8443 HTTPS", "*:8443", "a.test"),
              ElementsAre("a.test a.pem @127.0.0.1:8443 a.test -"));
  // The first of a host's addresses that has a listener determines the protocol.
  EXPECT_THAT(line("Listen 443\nListen 8443", "*:443 *:8443", "a.test"),
              ElementsAre(HasSubstr(":443"), HasSubstr(":8443")));
  EXPECT_THAT(line("Listen 443\nListen 8443", "*:8443 *:443", "a.test"), IsEmpty());
  EXPECT_THAT(line("Listen 8443\nProtocol https", "*:8443", "a.test"),
              ElementsAre("a.test a.pem @127.0.0.1:8443 a.test -"));
  EXPECT_THAT(line("Listen 443", "0.0.0.0:443", "a.test"), IsEmpty());
  EXPECT_THAT(line("Listen 443", "192.0.2.1:443", "a.test"), IsEmpty());
  EXPECT_THAT(line("Listen 443", "*:*", "a.test"), IsEmpty());
  EXPECT_THAT(line("Listen 443 http", "*:443", "a.test"), IsEmpty());
  EXPECT_THAT(line("Listen 8443", "*:8443", "a.test"), IsEmpty());
  EXPECT_THAT(line("Listen 443\nSSLEngine off", "*:443", "a.test"), IsEmpty());
  // A host without any directive of core.c shares the main server's protocol.
  EXPECT_THAT(line("Listen 443", "*:443", ""), IsEmpty());
}

TEST(ApacheBindings, AHostWithoutTlsLodgesWithTheFirst) {
  View view = View::of("Listen 443\n" + host("*:443", "a.test", certificate("a")) +
                       host("*:443", "b.test", "", false));
  Discovery found = view.discovery();
  EXPECT_THAT(binding_lines(found), ElementsAre("a.test a.pem @127.0.0.1:443 a.test b.test -"));
  EXPECT_THAT(found.bindings.at(0).names, ElementsAre("a.test", "b.test"));
}

TEST(ApacheBindings, WhereTheFirstHasNoTlsNobodyHas) {
  View view = View::of("Listen 443\n" + host("*:443", "a.test", "", false) +
                       host("*:443", "b.test", certificate("b")));
  Discovery found = view.discovery();
  EXPECT_THAT(binding_lines(found), ElementsAre("b.test b.pem"));
  EXPECT_THAT(messages(found.diagnostics), Contains(HasSubstr("listens nowhere with TLS")));
}

// By position: the host's first value replaces the main server's first.
TEST(ApacheBindings, InheritsCertificatesByPosition) {
  View view = View::of("Listen 443\nSSLEngine on\n" + certificate("g") + "\n" + certificate("h") +
                       "\n" + host("*:443", "a.test", certificate("a"), false));
  Discovery found = view.discovery();
  EXPECT_THAT(binding_lines(found), ElementsAre("a.test a.pem @127.0.0.1:443 a.test -",
                                                "a.test h.pem @127.0.0.1:443 a.test -"));
  EXPECT_EQ(found.bindings.at(1).key.path, "/c/h.key");
}

TEST(ApacheBindings, KeysMayLieInTheCertificatesFile) {
  Discovery found =
      View::of("Listen 443\n" + host("*:443", "a.test", "SSLCertificateFile c/a.pem")).discovery();
  EXPECT_EQ(found.bindings.at(0).key.path, "/etc/apache2/c/a.pem");
  EXPECT_EQ(found.bindings.at(0).key.where, found.bindings.at(0).certificate.where);
}

TEST(ApacheBindings, SaysWhyItCannotEdit) {
  auto why = [](const std::string& more) {
    Discovery found = View::of("Listen 443\n" + more).discovery();
    return found.bindings.empty() ? "no binding" : found.bindings[0].not_editable;
  };
  EXPECT_EQ(why(host("*:443", "a.test", certificate("a"))), "");
  EXPECT_THAT(why(host("*:443", "a.test",
                       "SSLCertificateFile /c/a\nSSLCertificateKeyFile pkcs11:object=a")),
              HasSubstr("token"));
  EXPECT_THAT(why(host("*:443", "a.test", "SSLCertificateFile ${X}/a")), HasSubstr("variable"));
  EXPECT_THAT(why("<Macro m $c>\n" + host("*:443", "a.test", "SSLCertificateFile $c") +
                  "</Macro>\nUse m /c/a\n"),
              HasSubstr("macro"));
  EXPECT_THAT(why("Define D /c\n" + host("*:443", "a.test", "SSLCertificateFile ${D}/a")),
              HasSubstr("variable"));
  EXPECT_THAT(why("Define D /c\n" +
                  host("*:443", "a.test", "SSLCertificateFile /c/a\nSSLCertificateKeyFile ${D}/k")),
              HasSubstr("variable"));
}

TEST(ApacheBindings, TheChainMayLieApart) {
  Discovery found =
      View::of("Listen 443\n" +
               host("*:443", "a.test", certificate("a") + "\nSSLCertificateChainFile /c/chain.pem"))
          .discovery();
  EXPECT_EQ(found.bindings.at(0).chain.path, "/c/chain.pem");
  EXPECT_EQ(found.bindings.at(0).not_editable, "");
}

TEST(ApacheBindings, CertificatesTowardsUpstreams) {
  View view = View::of(
      "Listen 443\nSSLProxyMachineCertificateFile /c/all.pem\n" +
      host("*:443", "a.test", certificate("a") + "\nSSLProxyMachineCertificateFile /c/client.pem"));
  Discovery found = view.discovery();
  ASSERT_EQ(found.bindings.size(), 3u);
  EXPECT_EQ(found.bindings[1].site, "upstream");
  EXPECT_EQ(found.bindings[2].site, "a.test");
  EXPECT_EQ(found.bindings[2].role, Role::client);
  EXPECT_EQ(found.bindings[2].key.path, "/c/client.pem");
}

TEST(ApacheBindings, WhatModMdLooksAfterIsLeftToIt) {
  View view(Texts{{"/etc/apache2/apache2.conf",
                   "LoadModule md_module mod_md.so\nListen 443\nMDStoreDir /md\n"
                   "MDomain a.test www.a.test\n" +
                       host("*:443", "a.test", "")},
                  {"/md/domains/a.test/pubcert.pem", ""},
                  {"/md/staging/a.test/pubcert.pem", ""},
                  {"/md/staging/a.test/job.json", R"({"finished": true})"}});
  Discovery found = view.discovery();
  ASSERT_EQ(found.bindings.size(), 1u);
  EXPECT_EQ(found.bindings[0].next_certificate, "/md/staging/a.test/pubcert.pem");
  EXPECT_EQ(found.bindings[0].certificate.path, "/md/domains/a.test/pubcert.pem");
  EXPECT_EQ(found.bindings[0].key.path, "/md/domains/a.test/privkey.pem");
  EXPECT_THAT(found.bindings[0].not_editable, HasSubstr("mod_md"));
  EXPECT_THAT(messages(found.diagnostics), ElementsAre(HasSubstr("after the next reload")));
}

TEST(ApacheBindings, WhatModMdIsNotDoneWithDoesNotWait) {
  for (const char* job : {R"({"finished": false})", "{", "[]", "7"}) {
    View view(Texts{{"/etc/apache2/apache2.conf",
                     "LoadModule md_module mod_md.so\nListen 443\nMDStoreDir /md\n"
                     "MDomain a.test\n" +
                         host("*:443", "a.test", "")},
                    {"/md/domains/a.test/fallback-pubcert.pem", ""},
                    {"/md/staging/a.test/pubcert.pem", ""},
                    {"/md/staging/a.test/job.json", job}});
    Discovery found = view.discovery();
    ASSERT_EQ(found.bindings.size(), 1u);
    EXPECT_EQ(found.bindings[0].certificate.path, "/md/domains/a.test/fallback-pubcert.pem");
    EXPECT_EQ(found.bindings[0].key.path, "/md/domains/a.test/fallback-privkey.pem");
    EXPECT_EQ(found.bindings[0].next_certificate, "");
    EXPECT_TRUE(found.diagnostics.empty());
  }
}

// mod_md's pair comes last, and only of the key types that it wants.
TEST(ApacheBindings, ModMdAddsToTheHostsOwn) {
  View view(Texts{
      {"/etc/apache2/apache2.conf",
       "LoadModule md_module mod_md.so\nListen 443\nMDStoreDir /md\n"
       "MDPrivateKeys secp384r1 rsa4096\nMDomain a.test\n" +
           host("*:443", "b.test",
                "ServerAlias *.test\nSSLCertificateChainFile /c/chain.pem\n" + certificate("a"))},
      {"/md/domains/a.test/pubcert.pem", ""},
      {"/md/domains/a.test/pubcert.secp256r1.pem", ""},
      {"/md/domains/a.test/fallback-pubcert.secp384r1.pem", ""}});
  Discovery found = view.discovery();
  EXPECT_THAT(binding_lines(found),
              ElementsAre(HasSubstr("b.test a.pem"), HasSubstr("b.test pubcert.pem")));
  EXPECT_EQ(found.bindings.at(0).further_pairs, 1u);
  EXPECT_EQ(found.bindings.at(0).chain.path, "");
}

TEST(ApacheBindings, TheFirstCertificateOfModMdWaitsBesideTheHostsOwn) {
  View view(Texts{{"/etc/apache2/apache2.conf",
                   "LoadModule md_module mod_md.so\nListen 443\nMDStoreDir /md\nMDomain a.test\n" +
                       host("*:443", "a.test", certificate("a"))},
                  {"/md/staging/a.test/pubcert.pem", ""},
                  {"/md/staging/a.test/job.json", R"({"finished": true})"}});
  Discovery found = view.discovery();
  ASSERT_EQ(found.bindings.size(), 1u);
  EXPECT_EQ(found.bindings[0].certificate.path, "/c/a.pem");
  EXPECT_EQ(found.bindings[0].next_certificate, "/md/staging/a.test/pubcert.pem");
  EXPECT_EQ(found.bindings[0].not_editable, "");
}

TEST(ApacheBindings, AStaticPairOfModMdIsAnOrdinaryFile) {
  View view(
      Texts{{"/etc/apache2/apache2.conf",
             "LoadModule md_module mod_md.so\nListen 443\nMDStoreDir /md\n<MDomainSet a.test>\n"
             "MDCertificateFile c/a.pem\nMDCertificateKeyFile c/a.key\n</MDomainSet>\n" +
                 host("*:443", "a.test", "")},
            {"/md/domains/a.test/pubcert.pem", ""}});
  Discovery found = view.discovery();
  ASSERT_EQ(found.bindings.size(), 1u);
  EXPECT_EQ(found.bindings[0].certificate.path, "/etc/apache2/c/a.pem");
  EXPECT_EQ(found.bindings[0].key.path, "/etc/apache2/c/a.key");
  EXPECT_EQ(found.bindings[0].not_editable, "");
}

TEST(ApacheBindings, StaplingAndProxyProtocol) {
  Discovery found =
      View::of("Listen 443\nSSLUseStapling On\n" +
               host("*:443", "a.test", "RemoteIPProxyProtocol On\n" + certificate("a")))
          .discovery();
  EXPECT_TRUE(found.bindings.at(0).stapling);
  EXPECT_TRUE(found.bindings.at(0).endpoints.at(0).proxy_protocol);
}

TEST(ApacheBindings, WithoutModSslNothingIsBound) {
  View view = View::of("Listen 443\n" + host("*:443", "a.test", certificate("a")));
  view.given.modules = {"core.c"};
  EXPECT_THAT(view.discovery().bindings, IsEmpty());
}

}  // namespace
}  // namespace certrebind::apache
