#include "sys/day_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/text.h"
#include "sys/local_time.h"
#include "sys/time_zone.h"

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

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
// Long enough for a window on one day of the week, even if its hour is skipped once.
constexpr auto kLookAhead = std::chrono::days(15);

std::unexpected<Error> no_window(std::string_view text, std::string cause) {
  return fail(Code::usage, "use", "the window '" + printable(text) + "'", std::move(cause),
              "write it like 02:00-04:00, or Sat,Sun 02:00-04:00, or Mon-Fri 22:00-02:00 "
              "Europe/Berlin");
}

std::optional<size_t> parse_day(std::string_view text) {
  auto found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<size_t>(found - kDays.begin());
}

// "Sat,Sun" or "Mon-Fri,Sun"; a range may go over the end of the week.
Result<uint8_t> parse_days(std::string_view text, std::string_view window) {
  unsigned days = 0;
  for (const std::string& part : split(text, ',')) {
    const std::vector<std::string> ends = split(part, '-');
    auto first = parse_day(ends.front()), last = parse_day(ends.back());
    if (!first || !last || ends.size() > 2)
      return no_window(window,
                       fmt::format("'{}' is no day or range of days; the days are Mon, Tue, "
                                   "Wed, Thu, Fri, Sat, Sun",
                                   printable(part)));
    for (size_t day = *first;; day = (day + 1) % kDays.size()) {
      days |= 1U << day;
      if (day == *last) break;
    }
  }
  return static_cast<uint8_t>(days);
}

bool begins_with_letter(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0;
}

// A minute of the week on the clocks of a window's zone, from Monday.
struct ClockMinute {
  size_t day = 0;
  int minute = 0;
};

ClockMinute on_clock(WallTime time, std::chrono::minutes offset) {
  const auto shown = time + offset;
  const auto midnight = std::chrono::floor<std::chrono::days>(shown);
  const std::chrono::weekday day{std::chrono::sys_days(midnight.time_since_epoch())};
  const auto minute = std::chrono::floor<std::chrono::minutes>(shown - midnight);
  return {day.iso_encoding() - 1, static_cast<int>(minute.count())};
}

bool is_within(const Window& window, const ClockMinute& now) {
  auto opens_on = [&](size_t day) { return (window.days >> (day % kDays.size()) & 1U) != 0; };
  if (window.from < window.to)
    return opens_on(now.day) && window.from <= now.minute && now.minute < window.to;
  // Over midnight: the second part belongs to the day before.
  return (opens_on(now.day) && now.minute >= window.from) ||
         (opens_on(now.day + kDays.size() - 1) && now.minute < window.to);
}

}  // namespace

std::string Window::text() const {
  std::vector<std::string> shown;
  for (size_t day = 0; day < kDays.size() && days != kEveryDay; ++day)
    if ((days >> day & 1U) != 0) shown.emplace_back(kDays[day]);
  return (shown.empty() ? "" : join(shown, ",") + " ") + time_of_day_text(from) + "-" +
         time_of_day_text(to) + (zone.empty() ? "" : " " + zone);
}

Result<Window> parse_window(std::string_view text) {
  std::vector<std::string> words = split(text, ' ');
  std::erase(words, "");
  Window window;
  if (words.size() > 1 && begins_with_letter(words.front())) {
    auto days = parse_days(words.front(), text);
    if (!days) return pass(days);
    window.days = *days;
    words.erase(words.begin());
  }
  if (words.size() == 2) {
    window.zone = words.back();
    if (!is_time_zone(window.zone))
      return no_window(text, fmt::format("this machine knows no time zone '{}' (see "
                                         "/usr/share/zoneinfo)",
                                         printable(window.zone)));
    words.pop_back();
  }
  const std::vector<std::string> ends =
      words.size() == 1 ? split(words.front(), '-') : std::vector<std::string>();
  if (ends.size() != 2) return no_window(text, "it has not two times of day");
  auto from = parse_time_of_day(ends[0]), to = parse_time_of_day(ends[1]);
  if (!from || !to || *from == *to)
    return no_window(
        text, fmt::format("'{}' is not two different times of day", printable(words.front())));
  window.from = *from;
  window.to = *to;
  return window;
}

bool is_open(const Window& window, WallTime now) {
  auto offsets = ZoneOffsets::read(window.zone, now, now);
  return offsets && is_within(window, on_clock(now, offsets->at(now)));
}

WallTime next_opening(const Window& window, WallTime now) {
  auto offsets = ZoneOffsets::read(window.zone, now, now + kLookAhead);
  if (!offsets) return now + std::chrono::hours(1);
  auto time = std::chrono::floor<std::chrono::minutes>(now);
  auto open_at = [&](WallTime at) { return is_within(window, on_clock(at, offsets->at(at))); };
  for (bool was_open = open_at(time); time < now + kLookAhead;) {
    time += std::chrono::minutes(1);
    const bool is_open_then = open_at(time);
    if (is_open_then && !was_open) return time;
    was_open = is_open_then;
  }
  return time;
}

WallTime opens_at(const Window& window, WallTime now) {
  return is_open(window, now) ? now : next_opening(window, now);
}

std::string opening_text(const Window& window, WallTime now) {
  const WallTime opens = opens_at(window, now);
  return window.text() + (opens <= now ? ": open now" : ": opens " + local_minute_text(opens));
}

WallTime next_daily(int minute, WallTime now) {
  LocalTime today = local_of(now);
  WallTime at = daily_on(today, minute, 0);
  return at > now ? at : daily_on(today, minute, 1);
}

}  // namespace certrebind
