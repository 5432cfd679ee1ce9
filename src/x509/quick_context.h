// An OpenSSL 3.0 context without the feature that makes certificates slow in OpenSSL 3.0.
#pragma once

#include <openssl/types.h>

namespace certrebind {

// A library context for OpenSSL functions that take one. Certificates and handshakes in it behave
// exactly as with OpenSSL's default provider, at a fraction of the cost; see the .cc file. Null,
// which means OpenSSL's own default context, if it cannot be created.
OSSL_LIB_CTX* quick_context();

}  // namespace certrebind
