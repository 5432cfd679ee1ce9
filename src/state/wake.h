// Wakes the daemon after a change in the database.
#pragma once

#include "state/settings.h"
#include "sys/files.h"

namespace certrebind {

inline constexpr const char* kWakeFile = "wake";  // in the run directory, which the daemon watches

// Does nothing if no daemon runs, or if it cannot be woken: the daemon checks once an hour anyway.
void wake_daemon(Files& files, const Settings& settings);

}  // namespace certrebind
