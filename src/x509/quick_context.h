// OpenSSL 3.0, with the one thing taken away that makes certificates slow in it.
#pragma once

#include <openssl/types.h>

namespace certrebind {

// A library context to give to OpenSSL's functions that take one. Certificates and handshakes in
// it are those of OpenSSL's default provider in every respect, at a fraction of the cost; see the
// .cc file. Null, which is OpenSSL's own default context, where it cannot be made.
OSSL_LIB_CTX* quick_context();

}  // namespace certrebind
