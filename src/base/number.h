// Numbers in text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace certrebind {

// The number that is the whole text. Unset if there is anything else, or if it does not fit.
template <class Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace certrebind
