// Hardens the process before it reads a key.
#pragma once

namespace certrebind {

// Disables core dumps and ptrace by other processes of the same user, and makes new files private
// by default. A broken pipe becomes an error of write(2) instead of ending the process.
void guard_process();

// True if standard output is a terminal (for colour and progress).
bool stdout_is_terminal();
bool stdin_is_terminal();
bool stderr_is_terminal();

}  // namespace certrebind
