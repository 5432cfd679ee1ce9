// Against OpenSSL's server half, directly and by way of Prober, who must have OpenSSL's client
// decide wherever this one does not succeed.
#include "probe/lean_handshake.h"

#include <gtest/gtest.h>

#include "probe/server_for_test.h"
#include "probe/tls13.h"
#include "probe/tls_messages.h"

namespace certrebind {
namespace {

constexpr size_t kLean = 1;  // cipher offered

class Lean : public ::testing::Test {
 protected:
  Result<Served> shake(FakeServer& server, KeyType type = KeyType::other,
                       const std::string& sni = "a.test") {
    FakeStream stream(server, clock_);
    return lean_handshake(stream, sni, type, clock_.steady() + milliseconds(3000));
  }
  void serve(FakeServer& server, const TestCertificate& certificate) {
    server.add(certificate, key_of(certificate.key_pem));
  }
  TestCertificate issue(TestKey key) { return authority_.issue({.names = {"a.test"}, .key = key}); }

  ManualClock clock_{WallTime{}};
  TestAuthority root_;
  TestAuthority authority_ = root_.intermediate("Intermediate");
  TestCertificate certificate_ = issue(TestKey::p256);
};

TEST_F(Lean, ShowsWhatIsServed) {
  FakeServer server(certificate_);
  auto served = shake(server);
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_EQ(served->thumbprint, certificate_.thumbprint);
  EXPECT_EQ(served->leaf_der, certificate_.der);
  EXPECT_EQ(served->chain_length, 2U);
  EXPECT_EQ(served->protocol, "TLSv1.3");
  EXPECT_FALSE(served->wants_client_certificate);
  EXPECT_EQ(server.completed, 1);
}

TEST_F(Lean, SendsTheNameOrNone) {
  FakeServer server(certificate_);
  ASSERT_TRUE(shake(server, KeyType::other, "www.example.test"));
  ASSERT_TRUE(shake(server, KeyType::other, ""));
  EXPECT_EQ(server.seen_names, (std::vector<std::string>{"www.example.test", ""}));
}

TEST_F(Lean, KnowsEveryKindOfKey) {
  for (TestKey key : {TestKey::p256, TestKey::p384, TestKey::ed25519, TestKey::rsa2048,
                      TestKey::rsa3072, TestKey::rsa_pss}) {
    TestCertificate certificate = issue(key);
    FakeServer server(certificate);
    auto served = shake(server);
    ASSERT_TRUE(served) << served.error().message() << static_cast<int>(key);
    EXPECT_EQ(served->thumbprint, certificate.thumbprint);
  }
}

TEST_F(Lean, AsksForOneOfSeveralByKindOfKey) {
  TestCertificate rsa = issue(TestKey::rsa2048), ed25519 = issue(TestKey::ed25519);
  FakeServer server(certificate_);
  serve(server, rsa);
  serve(server, ed25519);
  EXPECT_EQ(shake(server, KeyType::rsa)->thumbprint, rsa.thumbprint);
  EXPECT_EQ(shake(server, KeyType::ecdsa)->thumbprint, certificate_.thumbprint);
  EXPECT_EQ(shake(server, KeyType::ed25519)->thumbprint, ed25519.thumbprint);
  EXPECT_FALSE(shake(server, KeyType::ed448));
}

TEST_F(Lean, FailsWhereTheKeyIsNotTheCertificates) {
  FakeServer server;
  server.add(certificate_, forged_key(certificate_.key_pem, make_key_pem()));
  EXPECT_EQ(shake(server).error().cause, "bad signature");
  EXPECT_EQ(server.completed, 0);
}

TEST_F(Lean, CompletesWhereAClientCertificateIsAskedFor) {
  FakeServer server(certificate_);
  SSL_CTX_set_verify(server.context(), SSL_VERIFY_PEER, nullptr);
  auto served = shake(server);
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_TRUE(served->wants_client_certificate);
  EXPECT_EQ(server.completed, 1);
}

TEST_F(Lean, FailsWithOtherServers) {
  auto fails = [&](auto change) {
    FakeServer server(certificate_);
    change(server.context());
    return !shake(server) && server.completed == 0;
  };
  EXPECT_TRUE(fails([](SSL_CTX* is) { SSL_CTX_set_max_proto_version(is, TLS1_2_VERSION); }));
  EXPECT_TRUE(fails([](SSL_CTX* is) { SSL_CTX_set_ciphersuites(is, "TLS_AES_256_GCM_SHA384"); }));
  EXPECT_TRUE(fails([](SSL_CTX* is) { SSL_CTX_set1_groups_list(is, "P-256"); }));
}

TEST_F(Lean, TakesWhatComesInPieces) {
  TestCertificate certificate = certificate_;
  for (int i = 0; i < 60; ++i) certificate.chain_pem += authority_.issue({}).pem;
  for (size_t piece : {size_t{1}, size_t{7}, size_t{16384}}) {
    FakeServer server(certificate);
    SSL_CTX_set_max_send_fragment(server.context(), 512);
    std::string rest;
    server.on_answer = [&](std::string& out) {
      rest += out;
      out = rest.substr(0, piece);
      rest.erase(0, piece);
    };
    server.keeps_answering = true;
    auto served = shake(server);
    ASSERT_TRUE(served) << served.error().message() << piece;
    EXPECT_EQ(served->chain_length, 62U);
  }
}

// Nothing of what a server sends can be changed or missing without being noticed, but for what says
// nothing: the version of a record that is not sealed (RFC 8446, section 5.1).
TEST_F(Lean, FailsAfterAnyChange) {
  FakeServer server(certificate_);
  std::string whole;
  server.on_answer = [&](std::string& out) { whole = out; };
  ASSERT_TRUE(shake(server));
  size_t hello = 5 + static_cast<size_t>(whole[4]);  // its record; ChangeCipherSpec's follows
  for (size_t at = 0; at < whole.size(); ++at) {
    bool is_version = at == 1 || at == 2 || at == hello + 1 || at == hello + 2;
    // A signature is not always as long as the one before.
    server.on_answer = [&](std::string& out) { out[std::min(at, out.size() - 1)] ^= 1; };
    EXPECT_EQ(shake(server).has_value(), is_version) << at << " changed";
    server.on_answer = [&](std::string& out) { out.resize(std::min(at, out.size() - 1)); };
    EXPECT_FALSE(shake(server)) << at << " left";
  }
}

TEST_F(Lean, EndsAtItsDeadline) {
  FakeServer server(certificate_);
  server.silent = true;
  EXPECT_EQ(shake(server).error().code, Code::timed_out);
}

// A server that says what OpenSSL's never would, sealed and signed as it should be.
class CraftedServer final : public Stream {
 public:
  explicit CraftedServer(const TestCertificate& certificate) : certificate_(certificate) {}

  std::string finished_is;  // instead of what it should be
  bool is_in_order = true;  // Certificate before CertificateVerify
  std::string answer;       // of ours, to its flight

  Done write(std::string_view bytes, SteadyTime) override {
    if (!flight_.empty()) {
      answer = bytes;
    } else {
      std::string hello(bytes.substr(tls13::kHeaderSize));
      flight_ = answer_to(hello, hello.substr(hello.size() - tls13::kSecretSize));
    }
    return {};
  }
  Result<std::string> read(SteadyTime) override {
    return std::exchange(unread_, false) ? flight_ : "";
  }

 private:
  std::string answer_to(const std::string& hello, const std::string& share) const {
    using namespace tls13;
    KeyExchange exchange;
    std::string extensions = number(43, 2) + vector_of(number(0x0304, 2), 2) + number(51, 2) +
                             vector_of(number(0x001d, 2) + vector_of(exchange.share(), 2), 2);
    std::string server_hello = message(
        MessageType::server_hello, number(0x0303, 2) + std::string(32, 'r') + vector_of("", 1) +
                                       number(0x1301, 2) + number(0, 1) + vector_of(extensions, 2));
    Secrets secrets(*exchange.agree(share), sha256(hello + server_hello));
    std::string said = message(MessageType::encrypted_extensions, vector_of("", 2));
    std::string listed =
        message(MessageType::certificate,
                vector_of("", 1) + vector_of(vector_of(certificate_.der, 3) + vector_of("", 2), 3));
    std::string verify = signed_by_key(sha256(hello + server_hello + said + listed));
    said += is_in_order ? listed + verify : verify + listed;
    std::string right =
        finished_content(secrets.server_handshake(), sha256(hello + server_hello + said));
    said += message(MessageType::finished, finished_is.empty() ? right : finished_is);
    return number(22, 1) + number(0x0303, 2) + vector_of(server_hello, 2) +
           RecordKeys(secrets.server_handshake()).seal(RecordType::handshake, said);
  }

  // CertificateVerify by ECDSA with P-256.
  std::string signed_by_key(const std::string& hash) const {
    using namespace tls13;
    std::string content =
        std::string(64, ' ') + "TLS 1.3, server CertificateVerify" + std::string(1, '\0') + hash;
    OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::string signature(128, '\0');
    size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                       key_of(certificate_.key_pem).get());
    EXPECT_EQ(
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(content.data()), content.size()),
        1);
    return message(MessageType::certificate_verify,
                   number(0x0403, 2) + vector_of(signature.substr(0, size), 2));
  }

  const TestCertificate& certificate_;
  std::string flight_;
  bool unread_ = true;
};

class LeanWithCrafted : public Lean {
 protected:
  Result<Served> shake_crafted(KeyType type = KeyType::other) {
    return lean_handshake(server_, "a.test", type, clock_.steady() + milliseconds(3000));
  }
  CraftedServer server_{certificate_};
};

TEST_F(LeanWithCrafted, CompletesWhereAllIsRight) {
  auto served = shake_crafted(KeyType::ecdsa);
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_EQ(served->thumbprint, certificate_.thumbprint);
  EXPECT_FALSE(server_.answer.empty());
}

TEST_F(LeanWithCrafted, FailsWhereFinishedIsWrong) {
  server_.finished_is = std::string(32, 'f');
  EXPECT_EQ(shake_crafted().error().cause, "the server's Finished is wrong");
  EXPECT_TRUE(server_.answer.empty());
}

TEST_F(LeanWithCrafted, FailsWhereTheSignatureWasNotOffered) {
  EXPECT_EQ(shake_crafted(KeyType::rsa).error().cause, "bad signature");
}

TEST_F(LeanWithCrafted, FailsWhereMessagesAreOutOfOrder) {
  server_.is_in_order = false;
  EXPECT_FALSE(shake_crafted());
}

// By way of Prober: the first handshake at an address is OpenSSL's.
class LeanProber : public Lean {
 protected:
  Result<Served> ask(const std::string& sni = "a.test") {
    return prober_.handshake(
        {.address = {.host = "127.0.0.1", .port = 443, .unix_path = {}}, .sni = sni});
  }

  FakeServer server_{certificate_};
  FakeNetwork network_{server_, clock_};
  Prober prober_{network_, clock_, milliseconds(3000)};
};

TEST_F(LeanProber, GoesTheLeanWayFromTheSecondOn) {
  auto first = ask("a.test");
  auto second = ask("b.test");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->thumbprint, first->thumbprint);
  EXPECT_EQ(second->leaf_der, first->leaf_der);
  EXPECT_EQ(second->chain_length, first->chain_length);
  EXPECT_EQ(second->protocol, first->protocol);
  ASSERT_EQ(server_.seen_ciphers.size(), 2U);
  EXPECT_GT(server_.seen_ciphers[0], kLean);
  EXPECT_EQ(server_.seen_ciphers[1], kLean);
  EXPECT_EQ(server_.seen_names, (std::vector<std::string>{"a.test", "b.test"}));
}

TEST_F(LeanProber, LeavesOtherServersToOpenssl) {
  SSL_CTX_set_max_proto_version(server_.context(), TLS1_2_VERSION);
  ASSERT_TRUE(ask() && ask());
  SSL_CTX_set_max_proto_version(server_.context(), 0);
  SSL_CTX_set1_groups_list(server_.context(), "P-256");
  ASSERT_TRUE(ask() && ask());
  EXPECT_EQ(network_.connections, 4);
}

// With ssl_prefer_server_ciphers on, as Debian configures nginx.
TEST_F(LeanProber, OffersLessThanTheServerWouldPrefer) {
  SSL_CTX_set_options(server_.context(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  ASSERT_TRUE(ask() && ask());
  EXPECT_EQ(server_.seen_ciphers.back(), kLean);
}

TEST_F(LeanProber, HasOpensslDecideWhereItFails) {
  ASSERT_TRUE(ask());
  server_.plaintext = "220 mail.test ESMTP\r\n";
  EXPECT_EQ(ask().error().cause, "no TLS: the server answered \"220 mail.test ESMTP\"");
}

TEST_F(LeanProber, GivesUpWhereItFails) {
  SSL_CTX_set_ciphersuites(server_.context(), "TLS_AES_256_GCM_SHA384");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ask());
  EXPECT_EQ(network_.connections, 10 + 3);
}

TEST_F(LeanProber, ProvesNoForgedKey) {
  ASSERT_TRUE(ask());
  server_.add(certificate_, forged_key(certificate_.key_pem, make_key_pem()));
  EXPECT_EQ(ask().error().cause, "bad signature");
  EXPECT_EQ(server_.completed, 1);
}

TEST_F(LeanProber, AsksNobodyTwiceWhoIsSilent) {
  ASSERT_TRUE(ask());
  server_.silent = true;
  EXPECT_EQ(ask().error().code, Code::timed_out);
  EXPECT_EQ(network_.connections, 2);
}

}  // namespace
}  // namespace certrebind
