// Whether two chains lead to the same place, as far as that shows without the certificate above.
#pragma once

#include "x509/certificate.h"

namespace certrebind {

// One CA signed both: their issuers' names are equal, and where both say which key it was (the
// authority key identifier, RFC 5280 section 4.2.1.1), that, too. A name alone may be anybody's.
bool have_same_issuer(const Certificate& one, const Certificate& other);

}  // namespace certrebind
