// The times in a task file and in certrebind.toml: "1h30m", "03:30", "Sat 02:00-04:00".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

// Accepts "90s", "10m", "12h", "1d", or several units, largest first: "1h30m". Unset for any other
// text, for zero, and for more than ten years.
std::optional<milliseconds> parse_duration(std::string_view text);
// The inverse of parse_duration.
std::string to_text(milliseconds duration);

// "03:30" as minutes of the day.
std::optional<int> parse_time_of_day(std::string_view text);
std::string time_of_day_text(int minute);

// A time window: "02:00-04:00", "Sat,Sun 02:00-04:00", "Mon-Fri 22:00-02:00 Europe/Berlin". It may
// span midnight; its days are those on which it opens.
struct Window {
  static constexpr uint8_t kEveryDay = 0x7f;

  int from = 0;              // minutes of the day
  int to = 0;                // exclusive
  uint8_t days = kEveryDay;  // bit 0: Monday
  std::string zone = {};     // a name of the tz database; empty: the local time of this machine
  std::string text() const;
  bool operator==(const Window&) const = default;
};
// Code::usage if it is no window; the cause says what is wrong with it, such as an unknown day.
Result<Window> parse_window(std::string_view text);

// True if the clocks of the window's zone show a time within it. In the hour that is skipped when
// the clocks are put forward a window is not open. False if the time of its zone cannot be told.
bool is_open(const Window& window, WallTime now);
// The first moment after `now` at which it opens. If the time of its zone cannot be told: an hour
// later, to try again.
WallTime next_opening(const Window& window, WallTime now);
// `now` if the window is open, otherwise the time at which it opens next.
WallTime opens_at(const Window& window, WallTime now);
// "Sat 02:00-04:00: open now", "…: opens Sat 2026-12-05 02:00 CET", in the local time of this
// machine.
std::string opening_text(const Window& window, WallTime now);

// The first moment after `now` at which the local clock shows this minute of the day.
WallTime next_daily(int minute, WallTime now);

}  // namespace certrebind
