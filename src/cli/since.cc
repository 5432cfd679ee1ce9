#include "cli/since.h"

#include <array>
#include <optional>

#include "base/number.h"
#include "base/text.h"
#include "sys/day_time.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

// The number in `text`, which has exactly as many digits as there are between the two positions.
std::optional<int> digits(std::string_view text, size_t from, size_t count) {
  if (from + count > text.size() || text[from] == '-') return std::nullopt;
  return whole_number<int>(text.substr(from, count));
}

// "2026-11-22"
std::optional<std::chrono::year_month_day> parse_date(std::string_view text) {
  auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

// "Z", "+01:00"
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return text[0] == '-' ? -offset : offset;
}

// RFC 3339 section 5.6; a fraction of a second is cut off.
std::optional<WallTime> parse_rfc3339(std::string_view text) {
  auto date = parse_date(text);
  if (!date || text.size() < 20 || (text[10] != 'T' && text[10] != 't' && text[10] != ' '))
    return std::nullopt;
  auto hours = digits(text, 11, 2), minutes = digits(text, 14, 2), seconds = digits(text, 17, 2);
  if (!hours || !minutes || !seconds || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (*hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  size_t zone = 19;
  if (text[zone] == '.') zone = text.find_first_not_of("0123456789", zone + 1);
  if (zone == std::string_view::npos) return std::nullopt;
  auto offset = parse_offset(text.substr(zone));
  if (!offset) return std::nullopt;
  return std::chrono::sys_days(*date) + std::chrono::hours(*hours) +
         std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds) - *offset;
}

}  // namespace

Result<WallTime> parse_since(const std::string& typed, WallTime now) {
  if (auto ago = parse_duration(typed)) return now - *ago;
  if (auto time = parse_rfc3339(typed)) return *time;
  if (auto date = parse_date(typed); date && typed.size() == 10)
    return wall_of({.year = static_cast<int>(date->year()),
                    .month = static_cast<int>(static_cast<unsigned>(date->month())),
                    .day = static_cast<int>(static_cast<unsigned>(date->day())),
                    .minute = 0});
  return fail(Code::usage, "use", "--since " + printable(typed), "that is no time",
              "written like 2h, 3d, 2026-11-22 or 2026-11-22T09:00:00Z");
}

}  // namespace certrebind
