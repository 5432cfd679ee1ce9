// The certificates of a PKCS #7 file (RFC 2315), as Windows CAs hand them out (.p7b). It holds no
// key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// DER of each, in the order of the file. Unset if `der` is no signed-data of PKCS #7.
std::optional<std::vector<std::string>> certificates_of_pkcs7(std::string_view der);

}  // namespace certrebind
