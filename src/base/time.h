// The two clocks, as types that cannot be mixed up. Wall time is for validity and logs, steady time
// for deadlines.
#pragma once

#include <chrono>
#include <string>

namespace certrebind {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

// "2026-11-22 09:00:00" in UTC.
std::string to_text(WallTime time);

// "2026-11-22T09:00:00Z" (RFC 3339), for JSON.
std::string to_rfc3339(WallTime time);

}  // namespace certrebind
