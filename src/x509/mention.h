// Whether a text of another program speaks of a certificate.
#pragma once

#include <string_view>

namespace certrebind {

// True if `text` has the certificate as PEM, its thumbprint (SHA-256 or SHA-1) or its serial number
// in hex, with or without colons, or the end of its validity, as OpenSSL prints it ("Jan  2
// 03:04:05 2027 GMT") or in the form of RFC 3339. A serial number of less than 64 bits is too
// common to tell one. False if `der` is no certificate.
bool names_certificate(std::string_view text, std::string_view der);

}  // namespace certrebind
