// The built-in task that rebinds renewed certificates.
#pragma once

#include <string>

#include "daemon/task_directory.h"
#include "daemon/task_queue.h"
#include "state/settings.h"

namespace certrebind {

inline constexpr const char* kRebindTask = "rebind";

// Triggered by every renewal and, against drift, once an hour.
Task rebind_task(const std::string& program);

// True if this task is there and enabled.
bool rebinds_automatically(const LoadedTasks& tasks);

// True if a process holds the daemon's lock.
bool daemon_runs(const Settings& settings);

}  // namespace certrebind
