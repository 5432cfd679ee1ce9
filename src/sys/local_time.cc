#include "sys/local_time.h"

#include <array>
#include <ctime>

namespace certrebind {

namespace {

std::tm parts_of(WallTime time) {
  std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  ::tzset();  // localtime_r need not read TZ
  ::localtime_r(&seconds, &parts);
  return parts;
}

std::string formatted(WallTime time, const char* format) {
  std::array<char, 64> text{};
  const std::tm parts = parts_of(time);
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

}  // namespace

std::string local_time_text(WallTime time) {
  return formatted(time, "%Y-%m-%d %H:%M:%S %Z");
}

std::string local_day_text(WallTime time) {
  return formatted(time, "%Y-%m-%d");
}

std::string local_minute_text(WallTime time) {
  return formatted(time, "%a %Y-%m-%d %H:%M %Z");
}

LocalTime local_of(WallTime time) {
  const std::tm parts = parts_of(time);
  return {.year = parts.tm_year + 1900,
          .month = parts.tm_mon + 1,
          .day = parts.tm_mday,
          .minute = parts.tm_hour * 60 + parts.tm_min};
}

namespace {

// For an ambiguous or non-existent local time, the result of mktime(3) depends on its earlier
// calls.
WallTime any_wall_of(const LocalTime& local) {
  std::tm parts{};
  parts.tm_year = local.year - 1900;
  parts.tm_mon = local.month - 1;
  parts.tm_mday = local.day;
  parts.tm_hour = local.minute / 60;
  parts.tm_min = local.minute % 60;
  parts.tm_isdst = -1;
  return WallTime(std::chrono::seconds(std::mktime(&parts)));
}

}  // namespace

WallTime wall_of(const LocalTime& local) {
  constexpr auto kShift = std::chrono::hours(1);
  WallTime time = any_wall_of(local);
  if (local_of(time - kShift).minute == local.minute) return time - kShift;
  return local_of(time).minute < local.minute ? time + kShift : time;
}

}  // namespace certrebind
