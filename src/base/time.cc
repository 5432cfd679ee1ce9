#include "base/time.h"

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

std::string to_text(WallTime time) {
  return render(time, ' ', "");
}

std::string to_rfc3339(WallTime time) {
  return render(time, 'T', "Z");
}

}  // namespace certrebind
