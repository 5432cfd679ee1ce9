// Compares the issuers of two chains, as far as possible without the certificate above them.
#pragma once

#include "x509/certificate.h"

namespace certrebind {

// True if one CA signed both certificates. The issuer names must be equal. If both name the
// issuer's key (authority key identifier, RFC 5280 section 4.2.1.1), these must be equal too,
// because a name alone can be anybody's.
bool have_same_issuer(const Certificate& one, const Certificate& other);

}  // namespace certrebind
