// Limits what a hostile file can make us compute: the iterations of a password's key derivation.
#pragma once

#include <openssl/x509.h>

#include "base/result.h"

namespace certrebind {

// Code::failed if the algorithm asks for more iterations than any program in use writes.
Done check_derivation_cost(const X509_ALGOR* algorithm);
Done check_iterations(long iterations);

}  // namespace certrebind
