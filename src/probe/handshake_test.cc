// Against servers that live in memory: OpenSSL's server half behind a Stream.
#include "probe/handshake.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <deque>
#include <mutex>

#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

KeyPtr key_of(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, nullptr, nullptr));
}

// A P-256 key that shows the public half of `shown` and signs with the private half of `signing`.
// OpenSSL compares public halves only, so it lets a server start with it.
KeyPtr forged_key(const std::string& shown, const std::string& signing) {
  unsigned char point[65];
  size_t size = 0;
  EVP_PKEY_get_octet_string_param(key_of(shown).get(), OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                  &size);
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key_of(signing).get(), OSSL_PKEY_PARAM_PRIV_KEY, &number);
  OpensslPtr<BIGNUM, BN_clear_free> secret(number);
  OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point, size);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  OpensslPtr<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()), 1);
  return KeyPtr(key);
}

// How a server in memory behaves, and what it has seen.
class FakeServer {
 public:
  FakeServer() : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
  }
  explicit FakeServer(const TestCertificate& certificate) : FakeServer() {
    add(certificate, key_of(certificate.key_pem));
  }

  void add(const TestCertificate& certificate, const KeyPtr& key) {
    SSL_CTX_use_certificate(context_.get(), x509_of(certificate.der).get());
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key.get()), 1);
    BioPtr in = reader_of(certificate.chain_pem);
    X509Ptr leaf(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));  // stepped over
    while (X509* issuer = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
      SSL_CTX_add0_chain_cert(context_.get(), issuer);
    ERR_clear_error();
  }
  SSL_CTX* context() const { return context_.get(); }

  bool proxy_protocol = false;
  std::string plaintext;        // answered instead of TLS
  bool closes_at_once = false;  // after the ClientHello
  bool closes_midway = false;   // after half of its first flight
  bool silent = false;

  // Seen:
  std::mutex seen_lock;
  std::vector<std::string> seen_names;
  std::string seen_header;
  int completed = 0;

 private:
  OpensslPtr<SSL_CTX, SSL_CTX_free> context_;
};

class FakeStream final : public Stream {
 public:
  FakeStream(FakeServer& server, ManualClock& clock)
      : server_(server), clock_(clock), ssl_(SSL_new(server.context())) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
    awaits_header_ = server.proxy_protocol;
  }

  Result<std::string> read(SteadyTime deadline) override {
    std::string out = text_of(SSL_get_wbio(ssl_.get()));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    if (!server_.plaintext.empty()) return std::exchange(server_.plaintext, "");
    if (server_.closes_at_once) return std::string();
    if (server_.closes_midway) return std::exchange(halved_, true) ? "" : out.substr(0, 60);
    if (out.empty() || server_.silent) {
      clock_.sleep(std::chrono::ceil<milliseconds>(deadline - clock_.steady()));
      return fail(Code::timed_out, "read from", "fake", "no answer in time");
    }
    return out;
  }

  Done write(std::string_view bytes, SteadyTime) override {
    if (awaits_header_) {
      size_t end = bytes.find("\r\n") + 2;
      server_.seen_header = bytes.substr(0, end);
      bytes.remove_prefix(end);
      awaits_header_ = false;
    }
    if (bytes.empty()) return {};
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    bool before = SSL_is_init_finished(ssl_.get()) == 1;
    if (SSL_do_handshake(ssl_.get()) == 1 && !before) note_completed();
    ERR_clear_error();
    return {};
  }

 private:
  void note_completed() {
    std::lock_guard lock(server_.seen_lock);
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    server_.seen_names.push_back(name != nullptr ? name : "");
    ++server_.completed;
  }

  FakeServer& server_;
  ManualClock& clock_;
  OpensslPtr<SSL, SSL_free> ssl_;
  bool awaits_header_ = false;
  bool halved_ = false;
};

// Leads every address to one server.
class FakeNetwork final : public Network {
 public:
  FakeNetwork(FakeServer& server, ManualClock& clock) : server_(server), clock_(clock) {}
  Result<std::unique_ptr<Stream>> connect(const Address& address, SteadyTime) const override {
    if (address.port == 1)
      return fail(Code::failed, "connect to", address.text(), "Connection refused");
    return std::make_unique<FakeStream>(server_, clock_);
  }

 private:
  FakeServer& server_;
  ManualClock& clock_;
};

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

// The right certificate and the wrong key: the promise that this room exists for.
TEST_F(Handshake, FailsWhereTheKeyIsNotTheCertificates) {
  for (int version : {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
    FakeServer server;
    server.add(certificate_, forged_key(certificate_.key_pem, make_key_pem()));
    SSL_CTX_set_max_proto_version(server.context(), version);
    EXPECT_EQ(cause_of(server), "bad signature");
    EXPECT_EQ(server.completed, 0);
  }
}

TEST_F(Handshake, FailsWhereTheKeyIsWrongAndAClientCertificateIsWanted) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    FakeServer server;
    server.add(certificate_, forged_key(certificate_.key_pem, make_key_pem()));
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
