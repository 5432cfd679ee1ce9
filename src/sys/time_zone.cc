#include "sys/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

#include "base/number.h"
#include "base/text.h"
#include "sys/processes.h"

namespace certrebind {

namespace {

constexpr const char* kDatabase = "/usr/share/zoneinfo/";
constexpr milliseconds kPatience = std::chrono::seconds(10);
constexpr auto kGrid = std::chrono::minutes(15);  // clocks are changed at such times only

std::vector<WallTime> grid(WallTime from, WallTime until) {
  std::vector<WallTime> times;
  for (auto time = std::chrono::floor<std::chrono::minutes>(from); time <= until + kGrid;
       time += kGrid)
    times.push_back(times.empty() ? time -= time.time_since_epoch() % kGrid : time);
  return times;
}

std::time_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::chrono::minutes local_offset(WallTime time) {
  const std::time_t seconds = seconds_of(time);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return std::chrono::minutes(parts.tm_gmtoff / 60);
}

// "+0530", as date(1) prints it.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto number = whole_number<int>(text.substr(1));
  if (!number) return std::nullopt;
  const std::chrono::minutes offset(*number / 100 * 60 + *number % 100);
  return text[0] == '-' ? -offset : offset;
}

Result<std::vector<std::chrono::minutes>> ask_date(const std::string& zone,
                                                   const std::vector<WallTime>& times) {
  Command date{.arguments = {"/usr/bin/date", "--file=-", "+%z"},
               .root = {},
               .environment = {{"TZ=" + zone, "LC_ALL=C"}}};
  for (WallTime time : times) date.input += fmt::format("@{}\n", seconds_of(time));
  auto told = SystemCommands().run(date, kPatience);
  if (!told) return pass(told);
  std::vector<std::chrono::minutes> offsets;
  for (const std::string& line : split(trim(told->output), '\n'))
    if (auto offset = parse_offset(line)) offsets.push_back(*offset);
  if (told->status == 0 && offsets.size() == times.size()) return offsets;
  return fail(Code::failed, "tell the time of", zone, "date(1) says: " + printable(told->output));
}

}  // namespace

bool is_time_zone(const std::string& name) {
  const bool is_plain = std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("/_+-").find(char(c)) != std::string_view::npos;
  });
  if (!is_plain || name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0)
    return false;
  std::array<char, 4> magic{};
  std::ifstream file(kDatabase + name, std::ios::binary);
  return file.read(magic.data(), magic.size()) &&
         std::string_view(magic.data(), magic.size()) == "TZif";
}

Result<ZoneOffsets> ZoneOffsets::read(const std::string& zone, WallTime from, WallTime until) {
  const std::vector<WallTime> times = grid(from, until);
  ZoneOffsets offsets;
  if (zone.empty()) {
    ::tzset();  // localtime_r need not read TZ
    for (WallTime time : times) offsets.from_.emplace(time, local_offset(time));
    return offsets;
  }
  auto told = ask_date(zone, times);
  if (!told) return pass(told);
  for (size_t i = 0; i < times.size(); ++i) offsets.from_.emplace(times[i], (*told)[i]);
  return offsets;
}

std::chrono::minutes ZoneOffsets::at(WallTime time) const {
  auto after = from_.upper_bound(time);
  return after == from_.begin() ? after->second : std::prev(after)->second;
}

}  // namespace certrebind
