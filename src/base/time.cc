#include "base/time.h"

#include <time.h>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace certrebind {

namespace {

std::string render(WallTime time, char between, const char* zone) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  auto day = std::chrono::floor<std::chrono::days>(seconds);
  std::chrono::year_month_day date{day};
  std::chrono::hh_mm_ss clock{seconds - day};
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}"),
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), between, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), zone);
}

}  // namespace

int local_minute_of_day(WallTime time) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local.tm_hour * 60 + local.tm_min;
}

std::string to_text(WallTime time) {
  return render(time, ' ', "");
}

std::string to_rfc3339(WallTime time) {
  return render(time, 'T', "Z");
}

}  // namespace certrebind
