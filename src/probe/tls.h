// The client side of a TLS handshake over any Stream, optimised for thousands of handshakes.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <string>

#include "base/result.h"
#include "probe/handshake.h"
#include "sys/network.h"
#include "x509/openssl.h"

namespace certrebind {

// The cause where certificate and key do not match.
inline constexpr const char* kBadSignature = "bad signature";

// One OpenSSL context per requested key type. Thread-safe once constructed.
class TlsContexts {
 public:
  TlsContexts();
  SSL_CTX* for_key(KeyType type) const;

 private:
  OpensslPtr<SSL_CTX, SSL_CTX_free> any_, rsa_, ecdsa_, ed25519_, ed448_;
};

// Completes a full handshake (RFC 8446, RFC 5246 or older) and closes the TLS session. Empty `sni`:
// no server_name. The error's cause says what the server did instead.
Result<Served> complete_handshake(SSL_CTX* context, Stream& stream, const std::string& sni,
                                  SteadyTime deadline);

}  // namespace certrebind
