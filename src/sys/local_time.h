// The local time of this machine (tzset(3): TZ, /etc/localtime), daylight saving time included.
#pragma once

#include "base/time.h"

namespace certrebind {

// What a calendar and a clock on the wall show.
struct LocalTime {
  int year = 1970;
  int month = 1;   // 1 to 12
  int day = 1;     // 1 to 31; `wall_of` also takes 0 and 32: the day before and after the month's
  int minute = 0;  // of the day, from 0
};

LocalTime local_of(WallTime time);

// The moment at which that minute begins. Of two such moments (a clock put back) the first; where
// there is none (a clock put forward), as much later as the clock was put forward.
WallTime wall_of(const LocalTime& local);

}  // namespace certrebind
