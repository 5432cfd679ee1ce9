// The runs of tasks in the database: queued ones, running ones, and the outcomes of finished ones.
// The queue neither starts programs nor reads a clock.
//
// The daemon's loop; `tasks` is the result of load_tasks:
//
//   queue.interrupted(tasks, processes, now);            // at the start
//   queue.enqueue_for_new_events(tasks, now);            // after any event was logged
//   queue.enqueue_due_timers(tasks, now);                // at each turn
//   while (auto run = *queue.take_next(tasks, now)) {    // up to the limit of parallel runs
//     queue.started(run->id, own_runner, now);
//     spawn("certrebind task run --queued ID");          // calls `finished` at its end
//   }
//   sleep until queue.next_due(tasks, now), a child's end, or an event
//   when a child ended:
//     queue.finished(tasks, id, status, "", now);        // does nothing if the child did it
//   queue.prune(now, settings.keep_days);                // once a day
//
// Every attempt is a separate row with its own output. A failed attempt queues the next one if the
// task has retries left. A task that is not in `tasks` (its file was removed or cannot be read) is
// not started; its runs wait.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/task.h"
#include "lifecycle/events.h"
#include "state/database.h"
#include "sys/processes.h"

namespace certrebind {

enum class RunState { queued, running, done, failed };
std::string to_text(RunState state);

struct TaskRun {
  int64_t id = 0;
  std::string task = {};
  std::optional<int64_t> event = {};  // record of the triggering event; unset: a timer or a person
  RunState state = RunState::queued;
  int attempt = 1;
  WallTime due = {};
  std::optional<WallTime> started = {};
  std::optional<WallTime> ended = {};
  std::optional<int> status = {};  // exit status; 128 + n: killed by signal n; unset: interrupted
  std::string output = {};
};

// Identifies a process during its life: its pid and start time. Empty if there is no such process.
std::string runner_of(const ProcessTable& processes, int pid);

class TaskQueue {
 public:
  explicit TaskQueue(Database& database) : database_(database) {}

  // ---- queueing runs

  // Queues one run, not before `due`. A once_per_batch task has at most one queued run: if there is
  // one, it becomes the first attempt for this event, due at `due`. Returns the run's id.
  Result<int64_t> enqueue(const Task& task, std::optional<int64_t> event, WallTime due);

  // Queues runs for all events after the mark "tasks.event", and advances the mark, in one database
  // transaction. The first call only sets the mark, so that past events trigger nothing.
  Done enqueue_for_new_events(const std::vector<Task>& tasks, WallTime now);

  // Queues runs for timers that have elapsed. A new timer starts now. A timer that elapsed while
  // the daemon was stopped gets one run, however often it elapsed. A timer whose last run still
  // waits gets no second run.
  Done enqueue_due_timers(const std::vector<Task>& tasks, WallTime now);

  // When the last run of the task ended, if it failed. Unset if it did not, or if there is none.
  Result<std::optional<WallTime>> failed_last(const Task& task);

  // ---- choosing the next run

  // The time at which a run can start or a timer elapses next. Not later than `now`: at once;
  // unset: never. Ignores tasks with a run in progress: ask again when it ends.
  Result<std::optional<WallTime>> next_due(const std::vector<Task>& tasks, WallTime now);

  // The run to start next; unset if none may start now. It stays queued until `started`.
  Result<std::optional<TaskRun>> take_next(const std::vector<Task>& tasks, WallTime now);

  // ---- progress of runs

  // `runner`: runner_of the responsible process. Another call may transfer the run (from daemon to
  // child). An error if the run is neither queued nor running.
  Done started(int64_t run, const std::string& runner, WallTime now);

  // Ends a run in progress; otherwise does nothing. Success: done, event 2014. On failure queues
  // the next attempt at now + retry_after; after the last attempt: failed, event 2015. Removes
  // private keys from `output`, and stores only its end.
  Done finished(const std::vector<Task>& tasks, int64_t run, std::optional<int> status,
                const std::string& output, WallTime now);

  // Ends the runs whose runner no longer exists, as failed attempts. The next attempt is due at
  // once. Runs started manually are not retried.
  Done interrupted(const std::vector<Task>& tasks, const ProcessTable& processes, WallTime now);

  // ---- commands

  // Starts a run now, outside the queue and without retries. Code::busy while another run of the
  // task is in progress.
  Result<int64_t> begin_now(const Task& task, std::optional<int64_t> event,
                            const std::string& runner, WallTime now);
  // Marks the task as new: earlier events do not trigger it, and its timer restarts.
  Done added(const Task& task, WallTime now);
  // Deletes a task's marks and queued runs. Its history stays.
  Done removed(const std::string& task);
  Result<TaskRun> find(int64_t run);
  // Newest first, without their output. Only those of `task`, unless it is empty.
  Result<std::vector<TaskRun>> history(const std::string& task);
  // Deletes finished runs beyond the last 1,000, and finished and queued runs older than
  // `keep_days`.
  Done prune(WallTime now, int keep_days);

 private:
  Database& database_;
};

}  // namespace certrebind
