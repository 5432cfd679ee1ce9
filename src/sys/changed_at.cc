#include "sys/changed_at.h"

#include <algorithm>

namespace certrebind {

std::optional<WallTime> changed_at(const Files& files, const std::string& path) {
  auto link = files.lstat(path);
  auto file = files.stat(path);
  if (!link || !file) return std::nullopt;
  std::chrono::nanoseconds latest(std::max(link->changed_ns, file->changed_ns));
  return WallTime(std::chrono::duration_cast<milliseconds>(latest));
}

}  // namespace certrebind
