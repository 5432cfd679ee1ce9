// When a path last changed.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "sys/files.h"

namespace certrebind {

// The later ctime of the file and of the symbolic link that names it. Unset if unknown.
std::optional<WallTime> changed_at(const Files& files, const std::string& path);

}  // namespace certrebind
