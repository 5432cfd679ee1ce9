// A part of the day, "22:00-04:00".
#pragma once

#include <optional>
#include <string_view>

namespace certrebind {

struct DayWindow {
  int from = 0;   // minutes since midnight
  int until = 0;  // not included; before `from`: the next day
};

// "HH:MM-HH:MM"; nothing for what is not two different times of day.
std::optional<DayWindow> parse_day_window(std::string_view text);

// `minute`: minutes since midnight.
bool is_open(const DayWindow& window, int minute);

}  // namespace certrebind
