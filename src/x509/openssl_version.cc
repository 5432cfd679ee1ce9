#include "x509/openssl_version.h"

#include <openssl/crypto.h>

namespace certrebind {

std::string openssl_version() {
  return OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace certrebind
