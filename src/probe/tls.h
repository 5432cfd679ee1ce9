// The client's half of a TLS handshake over any Stream, made to be cheap by the thousand.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <string>

#include "base/result.h"
#include "probe/handshake.h"
#include "sys/network.h"
#include "x509/openssl.h"

namespace certrebind {

// One OpenSSL context per kind of key that is asked for. Thread-safe once made.
class TlsContexts {
 public:
  TlsContexts();
  SSL_CTX* for_key(KeyType type) const;

 private:
  OpensslPtr<SSL_CTX, SSL_CTX_free> any_, rsa_, ecdsa_, ed25519_, ed448_;
};

// Completes a full handshake (RFC 8446, or RFC 5246 and its elders) and says goodbye. `sni` empty:
// no server_name. The error's cause says what the server did instead.
Result<Served> complete_handshake(SSL_CTX* context, Stream& stream, const std::string& sni,
                                  SteadyTime deadline);

}  // namespace certrebind
