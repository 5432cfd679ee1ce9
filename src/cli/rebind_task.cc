#include "cli/rebind_task.h"

#include "lifecycle/events.h"
#include "sys/lock.h"

namespace certrebind {

Task rebind_task(const std::string& program) {
  Task task;
  task.name = kRebindTask;
  task.description = "every site that used the old certificate serves the new one";
  // The daemon's start is included, because certificates renewed while no daemon ran may not be
  // served yet.
  task.events = {static_cast<int>(EventId::replaced), static_cast<int>(EventId::installed),
                 static_cast<int>(EventId::daemon_started)};
  task.every = std::chrono::hours(1);
  task.command = {program, "rebind", "--pending"};
  task.once_per_batch = true;
  return task;
}

bool rebinds_automatically(const LoadedTasks& tasks) {
  const Task* task = tasks.find(kRebindTask);
  return task != nullptr && task->enabled;
}

bool daemon_runs(const Settings& settings) {
  return is_locked(settings.run_directory + "/daemon.lock");
}

}  // namespace certrebind
