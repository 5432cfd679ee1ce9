// The local time of this machine (tzset(3): TZ, /etc/localtime), daylight saving time included.
#pragma once

#include <string>

#include "base/time.h"

namespace certrebind {

// A local calendar date and time of day.
struct LocalTime {
  int year = 1970;
  int month = 1;   // 1 to 12
  int day = 1;     // 1 to 31; `wall_of` also takes 0 and 32: the day before and after the month
  int minute = 0;  // of the day, from 0
};

LocalTime local_of(WallTime time);

// When something happened, for people: "2026-11-22 10:00:00 CET"; and the date alone.
std::string local_time_text(WallTime time);
std::string local_day_text(WallTime time);
// When something will happen, for people: "Sat 2026-12-05 02:00 CET".
std::string local_minute_text(WallTime time);

// The moment at which the minute begins. If it occurs twice (a clock put back), the first one. If
// it does not occur (a clock put forward), later by the amount that the clock was put forward.
WallTime wall_of(const LocalTime& local);

}  // namespace certrebind
