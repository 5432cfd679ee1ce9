// Runs a task's command once, to its end.
#pragma once

#include <optional>
#include <string>

#include "daemon/task.h"
#include "lifecycle/events.h"
#include "state/settings.h"
#include "sys/host.h"

namespace certrebind {

struct TaskResult {
  int status = 0;      // as shells have it: 126 and 127 where it could not be started, 128 + n
  std::string output;  // kept_output of stdout and stderr, and what we have to say
};

// Waits for the program, at most for the task's time limit; then its whole process group is killed.
// A program without a slash is looked for in the task's PATH. `event`: what triggered the run.
TaskResult run_task(const Host& host, const Settings& settings, const Task& task,
                    const std::optional<Event>& event, const std::string& home);

}  // namespace certrebind
