// Finds a certificate of certrebind's own store in the text of a server's configuration, whatever
// the directive: a CA for clients, a chain for OCSP.
#pragma once

#include <string_view>

#include "store/own.h"

namespace certrebind {

// The first line that names a file or the directory of `own`, or has variables that may lead there.
// Comments count. 0: none.
int line_mentioning(std::string_view text, const OwnCertificate& own);

}  // namespace certrebind
