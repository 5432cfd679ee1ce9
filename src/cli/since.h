// The value of --since.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

// The moment that a person means: how long before `now` ("90s", "2h", "3d"), a local date
// ("2026-11-22", from midnight), or RFC 3339 ("2026-11-22T09:00:00Z", "…+01:00"). Code::usage for
// any other text.
Result<WallTime> parse_since(const std::string& typed, WallTime now);

}  // namespace certrebind
