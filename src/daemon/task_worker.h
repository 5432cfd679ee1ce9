// Runs a task's command once, until it ends.
#pragma once

#include <optional>
#include <string>

#include "daemon/task.h"
#include "lifecycle/events.h"
#include "state/settings.h"
#include "sys/host.h"

namespace certrebind {

struct TaskResult {
  int status = 0;      // as in shells: 126 and 127 if it could not be started, 128 + n
  std::string output;  // kept_output of stdout and stderr, and our own messages
};

// Waits for the program, at most for the task's time limit, then kills its whole process group.
// Searches a program without a slash in the task's PATH. `event`: the event that triggered the run.
TaskResult run_task(const Host& host, const Settings& settings, const Task& task,
                    const std::optional<Event>& event, const std::string& home);

}  // namespace certrebind
