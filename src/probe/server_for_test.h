// For tests only: a TLS server in memory that can misbehave. It is OpenSSL's server side behind a
// Stream.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sys/clock.h"
#include "sys/network.h"
#include "x509/openssl.h"
#include "x509/testing.h"

namespace certrebind {

inline KeyPtr key_of(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, nullptr, nullptr));
}

// The behaviour of a server in memory, and what it has received.
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
    X509Ptr leaf(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));  // skips the leaf
    while (X509* issuer = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
      SSL_CTX_add0_chain_cert(context_.get(), issuer);
    ERR_clear_error();
  }
  SSL_CTX* context() const { return context_.get(); }

  bool proxy_protocol = false;
  std::vector<std::string> before_tls;  // said in plain text: at first, and after each write
  std::string plaintext;                // sent instead of TLS
  bool closes_at_once = false;          // after the ClientHello
  bool closes_midway = false;           // after half of its first flight
  bool silent = false;
  std::function<void(std::string&)> on_answer;  // modifies the bytes sent
  bool keeps_answering = false;  // even if there is nothing more to send: see on_answer

  // Recorded:
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
    if (said_ < server_.before_tls.size()) return server_.before_tls[said_++];
    std::string out = text_of(SSL_get_wbio(ssl_.get()));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    if (!server_.plaintext.empty()) return std::exchange(answered_, true) ? "" : server_.plaintext;
    if (server_.closes_at_once) return std::string();
    if (server_.closes_midway) return std::exchange(halved_, true) ? "" : out.substr(0, 60);
    if ((out.empty() && !server_.keeps_answering) || server_.silent) {
      clock_.sleep(std::chrono::ceil<milliseconds>(deadline - clock_.steady()));
      return fail(Code::timed_out, "read from", "fake", "no answer in time");
    }
    if (server_.on_answer) server_.on_answer(out);
    return out;
  }

  Done write(std::string_view bytes, SteadyTime) override {
    if (awaits_header_) {
      size_t end = bytes.find("\r\n") + 2;
      server_.seen_header = bytes.substr(0, end);
      bytes.remove_prefix(end);
      awaits_header_ = false;
    }
    if (bytes.empty() || said_ < server_.before_tls.size()) return {};
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
  size_t said_ = 0;  // texts before TLS
  bool answered_ = false;
  bool halved_ = false;
};

// Connects every address to one server.
class FakeNetwork final : public Network {
 public:
  FakeNetwork(FakeServer& server, ManualClock& clock) : server_(server), clock_(clock) {}
  mutable std::atomic<int> connections = 0;

  Result<std::unique_ptr<Stream>> connect(const Address& address, SteadyTime) const override {
    ++connections;
    if (address.port == 1)
      return fail(Code::failed, "connect to", address.text(), "Connection refused");
    return std::make_unique<FakeStream>(server_, clock_);
  }

 private:
  FakeServer& server_;
  ManualClock& clock_;
};

}  // namespace certrebind
