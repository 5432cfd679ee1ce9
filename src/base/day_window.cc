#include "base/day_window.h"

#include <charconv>

namespace certrebind {

namespace {

std::optional<int> number(std::string_view text, int below) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size() && text.size() == 2;
  if (!whole || value < 0 || value >= below) return std::nullopt;
  return value;
}

std::optional<int> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  auto hour = number(text.substr(0, 2), 24), minute = number(text.substr(3), 60);
  if (!hour || !minute) return std::nullopt;
  return *hour * 60 + *minute;
}

}  // namespace

std::optional<DayWindow> parse_day_window(std::string_view text) {
  size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto from = minute_of(text.substr(0, dash)), until = minute_of(text.substr(dash + 1));
  if (!from || !until || *from == *until) return std::nullopt;
  return DayWindow{*from, *until};
}

bool is_open(const DayWindow& window, int minute) {
  bool after = minute >= window.from;
  bool before = minute < window.until;
  return window.from < window.until ? after && before : after || before;
}

}  // namespace certrebind
