// The times in a task file: "1h30m", "03:30", "02:00-04:00".
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// A daily time window in local time. It may span midnight.
struct Window {
  int from = 0;  // minutes of the day
  int to = 0;    // exclusive
  std::string text() const;
  bool operator==(const Window&) const = default;
};
std::optional<Window> parse_window(std::string_view text);

bool is_open(const Window& window, WallTime now);
// `now` if the window is open, otherwise the time at which it opens next.
WallTime opens_at(const Window& window, WallTime now);

// The first moment after `now` at which the local clock shows this minute of the day.
WallTime next_daily(int minute, WallTime now);

}  // namespace certrebind
