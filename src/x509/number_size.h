// Limits what a hostile private key can make us compute: the sizes of its numbers.
#pragma once

#include <string_view>

#include "base/result.h"

namespace certrebind {

// `der`: a private key without encryption. Code::failed if its modulus has more than 16384 bits, or
// another of its numbers is longer than the modulus.
Done check_number_sizes(std::string_view der);

}  // namespace certrebind
