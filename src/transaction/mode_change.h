// Permission bits that a file gets beside its new content.
#pragma once

#include <cstdint>

namespace certrebind {

struct ModeChange {
  uint32_t before = 0;
  uint32_t after = 0;
  bool operator==(const ModeChange&) const = default;
};

}  // namespace certrebind
