// A key share of X25519 that serves for many handshakes.
//
// Most of what a handshake costs its client in arithmetic is making keys that are thrown away:
// OpenSSL 3.0 makes two, 58 µs each, where the exchange itself is 46 µs. They protect what is sent
// afterwards, and the prober sends nothing: that the server holds its certificate's key is shown by
// its signature over a transcript in which our random bytes are fresh each time (RFC 8446, 4.1.2
// and 4.4.3).
#pragma once

#include <openssl/core_dispatch.h>

#include <vector>

namespace certrebind {

// Takes a provider's functions for a kind of key (provider-keymgmt(7)) and gives the same with
// another one to generate: each thread makes a key, hands out copies of it, and makes the next one
// after some hundreds. As given, where the provider cannot copy keys. To be called once, for one
// kind of key.
std::vector<OSSL_DISPATCH> sharing_keys(const OSSL_DISPATCH* functions);

}  // namespace certrebind
