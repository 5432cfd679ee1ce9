// Standard input, for files and passwords that must not appear in an argument list.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace certrebind {

// Everything up to its end. Code::failed if there are more than `limit` bytes.
Result<std::string> read_standard_input(size_t limit);

}  // namespace certrebind
