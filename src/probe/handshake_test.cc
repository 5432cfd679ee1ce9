// Tests with servers in memory: OpenSSL's server side behind a Stream.
#include "probe/handshake.h"

#include <gtest/gtest.h>

#include "probe/server_for_test.h"

namespace certrebind {
namespace {

Target target(std::string sni = "a.test", KeyType type = KeyType::other) {
  return {.address = {.host = "127.0.0.1", .port = 443, .unix_path = {}},
          .sni = std::move(sni),
          .key_type = type};
}

class Handshake : public ::testing::Test {
 protected:
  Result<Served> probe(FakeServer& server, const Target& to = target()) {
    FakeNetwork network(server, clock_);
    return Prober(network, clock_, milliseconds(3000)).handshake(to);
  }
  std::string cause_of(FakeServer& server, const Target& to = target()) {
    auto served = probe(server, to);
    return served ? "it completed" : served.error().cause;
  }

  ManualClock clock_{WallTime{}};
  TestAuthority root_;
  TestAuthority authority_ = root_.intermediate("Intermediate");
  TestCertificate certificate_ = authority_.issue({.names = {"a.test"}});
};

TEST_F(Handshake, ShowsWhatIsServed) {
  FakeServer server(certificate_);
  auto served = probe(server);
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_EQ(served->thumbprint, certificate_.thumbprint);
  EXPECT_EQ(served->leaf_der, certificate_.der);
  EXPECT_EQ(served->chain_length, 2U);
  EXPECT_EQ(served->protocol, "TLSv1.3");
  EXPECT_FALSE(served->wants_client_certificate);
  EXPECT_EQ(server.completed, 1);
}

TEST_F(Handshake, SpeaksToOldServers) {
  for (int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
    FakeServer server(certificate_);
    SSL_CTX_set_max_proto_version(server.context(), version);
    auto served = probe(server);
    ASSERT_TRUE(served) << served.error().message();
    EXPECT_EQ(served->thumbprint, certificate_.thumbprint);
    EXPECT_EQ(server.completed, 1);
  }
}

TEST_F(Handshake, SendsTheNameOrNone) {
  FakeServer server(certificate_);
  ASSERT_TRUE(probe(server, target("www.example.test")));
  ASSERT_TRUE(probe(server, target("")));
  EXPECT_EQ(server.seen_names, (std::vector<std::string>{"www.example.test", ""}));
}

// The right certificate with the wrong key: the main purpose of the probe code.
TEST_F(Handshake, FailsWhereTheKeyIsNotTheCertificates) {
  for (int version : {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
    FakeServer server;
    server.add(certificate_, key_of(forged_key_pem(certificate_.key_pem, make_key_pem())));
    SSL_CTX_set_max_proto_version(server.context(), version);
    EXPECT_EQ(cause_of(server), "bad signature");
    EXPECT_EQ(server.completed, 0);
  }
}

TEST_F(Handshake, FailsWhereTheKeyIsWrongAndAClientCertificateIsWanted) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    FakeServer server;
    server.add(certificate_, key_of(forged_key_pem(certificate_.key_pem, make_key_pem())));
    SSL_CTX_set_max_proto_version(server.context(), version);
    SSL_CTX_set_verify(server.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
    EXPECT_EQ(cause_of(server), "bad signature");
  }
}

TEST_F(Handshake, IsProofEvenWhereAClientCertificateIsDemanded) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    FakeServer server(certificate_);
    SSL_CTX_set_max_proto_version(server.context(), version);
    SSL_CTX_set_verify(server.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
    auto served = probe(server);
    ASSERT_TRUE(served) << served.error().message();
    EXPECT_EQ(served->thumbprint, certificate_.thumbprint);
    EXPECT_TRUE(served->wants_client_certificate);
    EXPECT_EQ(server.completed, 0);
  }
}

TEST_F(Handshake, AsksForOneOfSeveralByKindOfKey) {
  TestCertificate rsa = authority_.issue({.key = TestKey::rsa2048});
  TestCertificate ed25519 = authority_.issue({.key = TestKey::ed25519});
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    FakeServer server(certificate_);
    server.add(rsa, key_of(rsa.key_pem));
    server.add(ed25519, key_of(ed25519.key_pem));
    SSL_CTX_set_max_proto_version(server.context(), version);
    EXPECT_EQ(probe(server, target("a.test", KeyType::rsa))->thumbprint, rsa.thumbprint);
    EXPECT_EQ(probe(server, target("a.test", KeyType::ecdsa))->thumbprint, certificate_.thumbprint);
    EXPECT_EQ(probe(server, target("a.test", KeyType::ed25519))->thumbprint, ed25519.thumbprint);
  }
}

TEST_F(Handshake, SeesRsaWithoutAnEphemeralExchange) {
  TestCertificate rsa = authority_.issue({.key = TestKey::rsa2048});
  FakeServer server(rsa);
  SSL_CTX_set_max_proto_version(server.context(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(server.context(), "kRSA:@SECLEVEL=0");
  EXPECT_EQ(probe(server)->thumbprint, rsa.thumbprint);
  EXPECT_EQ(probe(server, target("a.test", KeyType::rsa))->thumbprint, rsa.thumbprint);
}

TEST_F(Handshake, IsRefusedWhereTheKindIsMissing) {
  FakeServer server(certificate_);
  EXPECT_EQ(cause_of(server, target("a.test", KeyType::rsa)), "sslv3 alert handshake failure");
}

TEST_F(Handshake, SendsTheProxyHeaderFirst) {
  FakeServer server(certificate_);
  server.proxy_protocol = true;
  Target to = target();
  to.proxy_protocol = true;
  ASSERT_TRUE(probe(server, to));
  EXPECT_EQ(server.seen_header, "PROXY TCP4 127.0.0.1 127.0.0.1 65535 443\r\n");
}

TEST_F(Handshake, AsksForTlsInPlainTextFirst) {
  FakeServer server(certificate_);
  server.proxy_protocol = true;
  server.before_tls = {"220 a\r\n", "250 a\r\n", "220 go\r\n"};
  Target to = target();
  to.proxy_protocol = true;
  to.start_tls = StartTls::smtp;
  auto served = probe(server, to);
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_EQ(served->thumbprint, certificate_.thumbprint);
  EXPECT_EQ(server.completed, 1);
  server.before_tls = {"220 a\r\n", "250 a\r\n", "502 no\r\n"};
  EXPECT_EQ(probe(server, to).error().message(),
            "cannot shake hands with 127.0.0.1:443 with smtp STARTTLS for a.test: the server does "
            "not offer STARTTLS: 502 no");
}

TEST(ProxyHeader, ForEachKindOfAddress) {
  EXPECT_EQ(proxy_header({.host = "::1", .port = 8443, .unix_path = {}}),
            "PROXY TCP6 ::1 ::1 65535 8443\r\n");
  EXPECT_EQ(proxy_header({.host = "fe80::1%lo", .port = 1, .unix_path = {}}),
            "PROXY TCP6 ::1 fe80::1 65535 1\r\n");
  EXPECT_EQ(proxy_header({.host = {}, .port = 0, .unix_path = "/run/x.sock"}), "PROXY UNKNOWN\r\n");
}

TEST_F(Handshake, SaysWhatTheServerDidInstead) {
  FakeServer server(certificate_);
  server.plaintext = "220 mail.test ESMTP\r\n";
  EXPECT_EQ(cause_of(server), "no TLS: the server answered \"220 mail.test ESMTP\"");
  server.plaintext.clear();
  server.closes_at_once = true;
  EXPECT_EQ(cause_of(server), "the server closed the connection without an answer");
  server.closes_at_once = false;
  server.closes_midway = true;
  EXPECT_EQ(cause_of(server), "the server closed the connection during the handshake");
  Target nobody = target();
  nobody.address.port = 1;
  auto refused = probe(server, nobody);
  EXPECT_EQ(refused.error().message(),
            "cannot shake hands with 127.0.0.1:1 for a.test: Connection refused");
}

TEST_F(Handshake, EndsAtItsDeadline) {
  FakeServer server(certificate_);
  server.silent = true;
  SteadyTime begin = clock_.steady();
  EXPECT_EQ(probe(server).error().code, Code::timed_out);
  EXPECT_EQ(clock_.steady() - begin, milliseconds(3000));
}

TEST_F(Handshake, ManyAtOnceInOrder) {
  FakeServer server(certificate_);
  FakeNetwork network(server, clock_);
  Prober prober(network, clock_, milliseconds(3000));
  std::vector<Target> targets;
  for (int i = 0; i < 200; ++i) {
    targets.push_back(target("s" + std::to_string(i) + ".test"));
    if (i % 7 == 0) targets.back().address.port = 1;
  }
  size_t last = 0, calls = 0;
  auto results = prober.handshake_all(targets, 3, [&](size_t done) {
    ++calls;
    EXPECT_EQ(done, last + 1);
    last = done;
  });
  ASSERT_EQ(results.size(), targets.size());
  EXPECT_EQ(calls, targets.size());
  for (size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].has_value(), i % 7 != 0) << i;
  EXPECT_TRUE(prober.handshake_all({}).empty());
}

}  // namespace
}  // namespace certrebind
