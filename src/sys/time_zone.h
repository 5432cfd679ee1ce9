// The time of other time zones, from the system's tz database. date(1) is asked in a child, because
// the C library knows one zone for the whole process, and changing it would change the time of
// every thread.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

// True if the tz database has a zone of this name: "Europe/Berlin".
bool is_time_zone(const std::string& name);

// How far the clocks of a zone are ahead of UTC, over a span of time.
class ZoneOffsets {
 public:
  // `zone` is a name of the tz database; empty: the local time of this machine. Code::failed if
  // date(1) cannot tell.
  static Result<ZoneOffsets> read(const std::string& zone, WallTime from, WallTime until);

  // For instants of the span only.
  std::chrono::minutes at(WallTime time) const;

 private:
  std::map<WallTime, std::chrono::minutes> from_;  // the offset from each instant on
};

}  // namespace certrebind
