// A handshake that costs a client half of what OpenSSL's does, for the thousandth name at one
// address. It knows one way through TLS 1.3 (RFC 8446): TLS_AES_128_GCM_SHA256, X25519, a server
// that authenticates with a certificate.
//
// It completes the handshake and proves what OpenSSL's proves: the server's key signed this very
// exchange, and its Finished is right. Whatever else a server does is a failure without
// explanation: let OpenSSL do it over, and believe that.
#pragma once

#include <string>

#include "base/result.h"
#include "probe/handshake.h"
#include "sys/network.h"
#include "x509/certificate.h"

namespace certrebind {

// Completes a full handshake and says goodbye. `sni` empty: no server_name. `type` as in Target.
// Code::timed_out at the deadline; any other error says nothing about what is served.
Result<Served> lean_handshake(Stream& stream, const std::string& sni, KeyType type,
                              SteadyTime deadline);

}  // namespace certrebind
