#include "probe/testing.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "x509/openssl.h"
#include "x509/quick_context.h"

namespace certrebind {

namespace {

using ContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;

KeyPtr key_of(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, nullptr, nullptr));
}

void add_identity(SSL_CTX* context, const FakeIdentity& identity) {
  BioPtr in = reader_of(identity.certificates);
  X509Ptr leaf(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  KeyPtr key = key_of(identity.key);
  if (leaf && key) {
    SSL_CTX_use_certificate(context, leaf.get());
    SSL_CTX_use_PrivateKey(context, key.get());
    while (X509* issuer = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
      SSL_CTX_add0_chain_cert(context, issuer);
  }
  ERR_clear_error();
}

using Names = std::map<std::string, SSL_CTX*>;

int choose_by_name(SSL* ssl, int*, void*) {
  const auto* names = static_cast<const Names*>(SSL_get_app_data(ssl));
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  auto found = names->find(name != nullptr ? name : "");
  if (found == names->end()) found = names->find("");
  if (found == names->end()) return SSL_TLSEXT_ERR_ALERT_FATAL;
  SSL_set_SSL_CTX(ssl, found->second);
  return SSL_TLSEXT_ERR_OK;
}

// One connection: OpenSSL's server side.
class TlsServerStream final : public Stream {
 public:
  explicit TlsServerStream(Names names)
      : names_(std::move(names)), ssl_(SSL_new(names_.begin()->second)) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_app_data(ssl_.get(), &names_);
    SSL_set_accept_state(ssl_.get());
  }
  Result<std::string> read(SteadyTime) override {
    std::string out = text_of(SSL_get_wbio(ssl_.get()));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    return out;
  }
  Done write(std::string_view bytes, SteadyTime) override {
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    SSL_do_handshake(ssl_.get());
    ERR_clear_error();
    return {};
  }

 private:
  Names names_;
  OpensslPtr<SSL, SSL_free> ssl_;
};

// One cached context per set of identities, because contexts are expensive to create.
SSL_CTX* context_of(const std::vector<FakeIdentity>& identities) {
  static std::mutex lock;
  static std::map<std::vector<FakeIdentity>, ContextPtr> contexts;
  std::lock_guard locked(lock);
  ContextPtr& context = contexts[identities];
  if (context) return context.get();
  context.reset(SSL_CTX_new_ex(quick_context(), nullptr, TLS_server_method()));
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  SSL_CTX_callback_ctrl(context.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(choose_by_name));
  for (const FakeIdentity& identity : identities) add_identity(context.get(), identity);
  return context.get();
}

}  // namespace

void FakeTls::serve(uint16_t port, const std::string& name, const TestCertificate& certificate) {
  table[{port, name}] = {{certificate.chain_pem, certificate.key_pem}};
}

Result<std::unique_ptr<Stream>> FakeTls::connect(const Address& address, SteadyTime) const {
  std::lock_guard lock(lock_);
  ++connections;
  if (on_connect) on_connect(address);
  Names names;
  for (const auto& [place, identities] : table)
    if (place.first == address.port) names[place.second] = context_of(identities);
  if (names.empty()) return fail(Code::failed, "connect to", address.text(), "Connection refused");
  return std::make_unique<TlsServerStream>(std::move(names));
}

}  // namespace certrebind
