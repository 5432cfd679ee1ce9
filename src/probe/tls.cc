#include "probe/tls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/text.h"
#include "x509/quick_context.h"

namespace certrebind {

namespace {

using SslPtr = OpensslPtr<SSL, SSL_free>;

// The bytes from and to the server, which OpenSSL accesses as a BIO. OpenSSL's memory BIOs would
// work, but copy and allocate more.
struct Wire {
  std::string in;
  size_t in_at = 0;
  std::string out;
  std::string first;  // the server's first bytes, for the message if they are not TLS
};

Wire& wire_of(BIO* bio) {
  return *static_cast<Wire*>(BIO_get_data(bio));
}

int wire_read(BIO* bio, char* to, int size) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  size_t given = std::min(static_cast<size_t>(size), wire.in.size() - wire.in_at);
  if (given == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(to, wire.in.data() + wire.in_at, given);
  wire.in_at += given;
  return static_cast<int>(given);
}

int wire_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  wire_of(bio).out.append(from, static_cast<size_t>(size));
  return size;
}

long wire_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* wire_method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    BIO_meth_set_read(method, wire_read);
    BIO_meth_set_write(method, wire_write);
    BIO_meth_set_ctrl(method, wire_control);
    return method;
  }();
  return kMethod;
}

struct Offer {
  const char* signatures;  // TLS 1.2 and 1.3
  const char* ciphers;     // up to TLS 1.2, where the cipher determines the key type
};

// Old internal servers must be reachable too. Hence TLS 1.0 and security level 0; only the
// certificate is read. Ciphers with AES-128 come first because they are the cheapest.
constexpr Offer kAny{nullptr, "ECDHE+AES128+AESGCM:ALL:!aNULL:!PSK:!SRP:@SECLEVEL=0"};
constexpr Offer kRsa{
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:"
    "rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA224:RSA+SHA1",
    "ECDHE+aRSA+AES128+AESGCM:aRSA:kRSA:!PSK:!SRP:!eNULL:@SECLEVEL=0"};
constexpr Offer kEcdsa{"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA224:ECDSA+SHA1",
                       "ECDHE+aECDSA+AES128+AESGCM:aECDSA:!eNULL:@SECLEVEL=0"};
constexpr Offer kEd25519{"ed25519", kEcdsa.ciphers};
constexpr Offer kEd448{"ed448", kEcdsa.ciphers};

// Trust in the certificate is not checked, because internal authorities are normal. TLS itself
// checks elsewhere that the certificate's key signed this handshake.
int accept_any_chain(X509_STORE_CTX*, void*) {
  return 1;
}

// Called when the server has requested a client certificate, and all its signatures are verified.
int note_demand(SSL* ssl, X509**, EVP_PKEY**) {
  *static_cast<bool*>(SSL_get_app_data(ssl)) = true;
  return 0;
}

OpensslPtr<SSL_CTX, SSL_CTX_free> make_context(const Offer& offer) {
  OpensslPtr<SSL_CTX, SSL_CTX_free> context(
      SSL_CTX_new_ex(quick_context(), nullptr, TLS_client_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_cipher_list(context.get(), offer.ciphers);
  SSL_CTX_set_ciphersuites(context.get(),
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                           "TLS_CHACHA20_POLY1305_SHA256");
  if (offer.signatures != nullptr) SSL_CTX_set1_sigalgs_list(context.get(), offer.signatures);
  SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384:P-521:X448");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_cert_verify_callback(context.get(), accept_any_chain, nullptr);
  SSL_CTX_set_client_cert_cb(context.get(), note_demand);
  return context;
}

std::unexpected<Error> failed(std::string cause) {
  return fail(Code::failed, "complete", "the handshake", std::move(cause));
}

// A TLS record begins with its type, 20 to 24, and version 3.
bool is_tls(std::string_view bytes) {
  return bytes.empty() || (bytes[0] >= 20 && bytes[0] <= 24 && (bytes.size() < 2 || bytes[1] == 3));
}

// The shortened first line of an answer that is not TLS.
std::string excerpt(std::string_view bytes) {
  bytes = bytes.substr(0, std::min(bytes.find_first_of("\r\n"), size_t{60}));
  return printable(bytes);
}

// Does what SSL_set_tlsext_host_name does; that macro is an old-style cast that drops const.
bool set_name(SSL* ssl, const std::string& name) {
  void* text = const_cast<char*>(name.c_str());  // OpenSSL copies it
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, text) == 1;
}

class ClientHandshake {
 public:
  ClientHandshake(SSL_CTX* context, Stream& stream, SteadyTime deadline)
      : ssl_(SSL_new(context)), stream_(stream), deadline_(deadline) {
    if (!ssl_) throw std::bad_alloc();
    BIO* bio = BIO_new(wire_method());
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_ex_data(ssl_.get(), 0, &demanded_);  // what the macro SSL_set_app_data expands to
    SSL_set_connect_state(ssl_.get());
  }

  Result<Served> run(const std::string& sni) {
    ERR_clear_error();
    if (!sni.empty() && !set_name(ssl_.get(), sni))
      return failed("the name cannot be sent: " + take_openssl_reason());
    for (int step = SSL_do_handshake(ssl_.get()); step != 1; step = SSL_do_handshake(ssl_.get())) {
      auto going_on = exchange(SSL_get_error(ssl_.get(), step) == SSL_ERROR_WANT_READ);
      if (going_on) continue;
      if (going_on.error().code != Code::timed_out && key_is_proven()) return completed();
      return pass(going_on);
    }
    // The close_notify is sent with our last flight, in one write.
    SSL_shutdown(ssl_.get());
    if (auto sent = send(); !sent) return pass(sent);
    return completed();
  }

 private:
  // Sends what OpenSSL wrote and, if OpenSSL wants more, receives it. An error if it cannot go on.
  Done exchange(bool wants_more) {
    std::string reason = wants_more ? "" : take_handshake_reason();
    auto sent = send();  // sends alerts, too
    if (!wants_more) {
      if (!is_tls(wire_.first))
        return failed(fmt::format("no TLS: the server answered \"{}\"", excerpt(wire_.first)));
      return failed(std::move(reason));
    }
    if (!sent) return sent;
    return receive();
  }

  // What OpenSSL says first of a bad signature with RSA is a detail of its padding, and another one
  // each time.
  static std::string take_handshake_reason() {
    const unsigned long last = ERR_peek_last_error();
    const bool is_bad_signature =
        ERR_GET_LIB(last) == ERR_LIB_SSL && ERR_GET_REASON(last) == SSL_R_BAD_SIGNATURE;
    std::string reason = take_openssl_reason();
    return is_bad_signature ? kBadSignature : reason;
  }

  Done send() {
    if (wire_.out.empty()) return {};
    auto sent = stream_.write(wire_.out, deadline_);
    wire_.out.clear();
    return sent;
  }

  Done receive() {
    auto bytes = stream_.read(deadline_);
    if (!bytes) return pass(bytes);
    if (bytes->empty())
      return failed(wire_.first.empty() ? "the server closed the connection without an answer"
                                        : "the server closed the connection during the handshake");
    if (wire_.first.empty()) wire_.first = bytes->substr(0, 80);
    wire_.in = *std::move(bytes);
    wire_.in_at = 0;
    return {};
  }

  // Up to TLS 1.2 a server may reject us for lack of a client certificate before it finishes the
  // handshake. With an ephemeral key exchange, its key has signed the exchange by then, and OpenSSL
  // has verified the signature before it asked for our certificate. (With 1.3 the handshake
  // completes before the rejection.)
  bool key_is_proven() const {
    const SSL_CIPHER* cipher = SSL_get_pending_cipher(ssl_.get());
    int exchange = cipher != nullptr ? SSL_CIPHER_get_kx_nid(cipher) : NID_undef;
    return demanded_ && (exchange == NID_kx_ecdhe || exchange == NID_kx_dhe);
  }

  Result<Served> completed() const {
    Served served;
    X509* leaf = SSL_get0_peer_certificate(ssl_.get());
    unsigned char* der = nullptr;
    int size = leaf != nullptr ? i2d_X509(leaf, &der) : -1;
    if (size <= 0) return failed("the server presented no certificate");
    served.leaf_der.assign(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
    served.thumbprint = Thumbprint::of_der(served.leaf_der);
    const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
    served.chain_length = static_cast<size_t>(sk_X509_num(sent));
    for (int i = 1; i < sk_X509_num(sent); ++i) {
      unsigned char* above = nullptr;
      int length = i2d_X509(sk_X509_value(sent, i), &above);
      if (length <= 0) return failed("the server presented a damaged chain");
      served.above.emplace_back(reinterpret_cast<char*>(above), static_cast<size_t>(length));
      OPENSSL_free(above);
    }
    served.protocol = SSL_get_version(ssl_.get());
    served.wants_client_certificate = demanded_;
    return served;
  }

  Wire wire_;
  bool demanded_ = false;
  SslPtr ssl_;
  Stream& stream_;
  SteadyTime deadline_;
};

}  // namespace

TlsContexts::TlsContexts()
    : any_(make_context(kAny)),
      rsa_(make_context(kRsa)),
      ecdsa_(make_context(kEcdsa)),
      ed25519_(make_context(kEd25519)),
      ed448_(make_context(kEd448)) {}

SSL_CTX* TlsContexts::for_key(KeyType type) const {
  switch (type) {
    case KeyType::rsa:
      return rsa_.get();
    case KeyType::ecdsa:
      return ecdsa_.get();
    case KeyType::ed25519:
      return ed25519_.get();
    case KeyType::ed448:
      return ed448_.get();
    case KeyType::other:
      break;
  }
  return any_.get();
}

Result<Served> complete_handshake(SSL_CTX* context, Stream& stream, const std::string& sni,
                                  SteadyTime deadline) {
  return ClientHandshake(context, stream, deadline).run(sni);
}

}  // namespace certrebind
