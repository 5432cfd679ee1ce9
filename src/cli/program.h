// The program as main() sees it. It includes nothing, so main.cc compiles at once.
#pragma once

namespace certrebind {

// The design's table.
enum Exit { kDone = 0, kDiffers = 1, kUsage = 2, kRolledBack = 3, kNeedsOperator = 4 };
// `check` has the codes of monitoring plugins instead: 0 ok, 1 warning, 2 critical, and this.
inline constexpr int kUnknown = 3;

// Parses the command line, runs the command, gives the exit code.
int run_certrebind(int argc, const char* const* argv);

}  // namespace certrebind
