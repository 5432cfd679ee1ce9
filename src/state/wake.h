// Tells the daemon that the database holds something new for it.
#pragma once

#include "state/settings.h"
#include "sys/files.h"

namespace certrebind {

inline constexpr const char* kWakeFile = "wake";  // in the run directory, which the daemon watches

// Nothing happens where no daemon runs, or where it may not be woken: it looks once an hour anyway.
void wake_daemon(Files& files, const Settings& settings);

}  // namespace certrebind
