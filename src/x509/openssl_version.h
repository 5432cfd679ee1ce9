// Which OpenSSL runs.
#pragma once

#include <string>

namespace certrebind {

std::string openssl_version();  // "OpenSSL 3.0.19 27 Jan 2026"

}  // namespace certrebind
