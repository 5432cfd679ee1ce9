// The program's interface for main(). It includes nothing, so main.cc compiles fast.
#pragma once

namespace certrebind {

// The exit codes of all commands but `check`.
enum Exit { kDone = 0, kDiffers = 1, kUsage = 2, kRolledBack = 3, kNeedsOperator = 4 };
// `check` uses the codes of monitoring plugins instead: 0 ok, 1 warning, 2 critical, and this.
inline constexpr int kUnknown = 3;

// Parses the command line, runs the command, returns the exit code.
int run_certrebind(int argc, const char* const* argv);

}  // namespace certrebind
