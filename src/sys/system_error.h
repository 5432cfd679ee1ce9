// Converts errno to an Error. For files that make system calls.
#pragma once

#include <string>

#include "base/result.h"

namespace certrebind {

// The Code for an errno value.
Code code_of(int number);

// An Error for `number` (an errno value) with the system's message.
std::unexpected<Error> system_failure(int number, std::string doing, std::string subject);

}  // namespace certrebind
