// Runs an editor for the person at the terminal.
#pragma once

#include <string>

#include "base/result.h"

namespace certrebind {

// Opens `path` in the caller's editor (VISUAL, EDITOR, else editor(1) or vi(1)) on this terminal,
// and waits until it ends. The variable may hold options, as with other programs, so a shell reads
// it. An error if it cannot be started or ends with another status than 0.
Done edit(const std::string& path);

}  // namespace certrebind
