// What the process promises about itself before it touches a key.
#pragma once

#include <cstdint>

namespace certrebind {

// No core dump, no ptrace by others of the same user, files created private by default, and a
// broken pipe is an error of write(2), not a death.
void guard_process();

// True if standard output is a terminal (for colour and progress).
bool stdout_is_terminal();
bool stderr_is_terminal();

// The user whose rights this process has (geteuid(2)); 0 is root.
uint32_t effective_user();

}  // namespace certrebind
