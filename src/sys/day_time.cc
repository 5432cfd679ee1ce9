#include "sys/day_time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/text.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

struct Unit {
  char letter;
  int64_t milliseconds;
};
constexpr std::array kUnits = {Unit{'d', 86'400'000}, Unit{'h', 3'600'000}, Unit{'m', 60'000},
                               Unit{'s', 1'000}};
constexpr int64_t kLongest = 3650 * kUnits[0].milliseconds;

// Removes a number from the front of `text` and returns it.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

WallTime daily_on(const LocalTime& day, int minute, int days_later) {
  return wall_of(
      {.year = day.year, .month = day.month, .day = day.day + days_later, .minute = minute});
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  int64_t sum = 0;
  for (const Unit& unit : kUnits) {
    std::string_view rest = text;
    auto number = take_number(rest);
    if (!number || !rest.starts_with(unit.letter)) continue;
    sum += *number * unit.milliseconds;
    text = rest.substr(1);
    if (text.empty()) break;
  }
  if (!text.empty() || sum == 0 || sum > kLongest) return std::nullopt;
  return milliseconds(sum);
}

std::string to_text(milliseconds duration) {
  std::string text;
  int64_t left = duration.count();
  for (const Unit& unit : kUnits) {
    if (left >= unit.milliseconds)
      text += fmt::format("{}{}", left / unit.milliseconds, unit.letter);
    left %= unit.milliseconds;
  }
  return text.empty() ? "0s" : text;
}

std::optional<int> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':' || text[0] == '-' || text[3] == '-') return std::nullopt;
  std::string_view hours = text.substr(0, 2), minutes = text.substr(3);
  auto hour = take_number(hours), minute = take_number(minutes);
  if (!hour || !minute || !hours.empty() || !minutes.empty()) return std::nullopt;
  if (*hour > 23 || *minute > 59) return std::nullopt;
  return *hour * 60 + *minute;
}

std::string time_of_day_text(int minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

std::string Window::text() const {
  return time_of_day_text(from) + "-" + time_of_day_text(to);
}

std::optional<Window> parse_window(std::string_view text) {
  std::vector<std::string> parts = split(text, '-');
  if (parts.size() != 2) return std::nullopt;
  auto from = parse_time_of_day(parts[0]), to = parse_time_of_day(parts[1]);
  if (!from || !to || *from == *to) return std::nullopt;
  return Window{*from, *to};
}

bool is_open(const Window& window, WallTime now) {
  int minute = local_of(now).minute;
  if (window.from < window.to) return window.from <= minute && minute < window.to;
  return minute >= window.from || minute < window.to;
}

WallTime opens_at(const Window& window, WallTime now) {
  return is_open(window, now) ? now : next_daily(window.from, now);
}

WallTime next_daily(int minute, WallTime now) {
  LocalTime today = local_of(now);
  WallTime at = daily_on(today, minute, 0);
  return at > now ? at : daily_on(today, minute, 1);
}

}  // namespace certrebind
