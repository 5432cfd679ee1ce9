// errno as an Error. Used by the rooms' files that talk to the system.
#pragma once

#include <string>

#include "base/result.h"

namespace certrebind {

// The Code that callers branch on for an errno.
Code code_of(int number);

// An Error from `number` (an errno value) in the system's own words.
std::unexpected<Error> system_failure(int number, std::string doing, std::string subject);

}  // namespace certrebind
