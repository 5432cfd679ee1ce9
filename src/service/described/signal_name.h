// The signals that reload servers, by name.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace certrebind::described {

// The number of the signal on Linux (signal(7)). Unset for a signal with which no server reloads.
inline std::optional<int> signal_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 3> kSignals = {
      {{"HUP", 1}, {"USR1", 10}, {"USR2", 12}}};
  for (const auto& [known, number] : kSignals)
    if (name == known) return number;
  return std::nullopt;
}

}  // namespace certrebind::described
