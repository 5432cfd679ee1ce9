// When what is read at a path last changed.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "sys/files.h"

namespace certrebind {

// The file itself, or the link that is named: whichever changed later, by its ctime. Nothing where
// it cannot be told.
std::optional<WallTime> changed_at(const Files& files, const std::string& path);

}  // namespace certrebind
