// The runs of tasks, in the database: what waits, what runs, how it ended. Nothing here starts a
// program or looks at a clock.
//
// A daemon's loop, `tasks` being what load_tasks gave:
//
//   queue.interrupted(tasks, processes, now);            // at the start
//   queue.enqueue_for_new_events(tasks, now);            // after any event was logged
//   queue.enqueue_due_timers(tasks, now);                // at each turn
//   while (auto run = *queue.take_next(tasks, now)) {    // as many as shall run side by side
//     queue.started(run->id, own_runner, now);
//     spawn("certrebind task run --queued ID");          // ends with `finished` by itself
//   }
//   sleep until queue.next_due(tasks, now), a child's end, or an event
//   when a child ended:
//     queue.finished(tasks, id, status, "", now);        // does nothing if the child did it
//   queue.prune(now, settings.keep_days);                // once a day
//
// Every attempt is a row of its own with its own output; a failed one that has retries left queues
// the next. A task that is not among `tasks` (its file was removed or cannot be read) is not
// started; its runs wait.
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
  std::optional<int64_t> event = {};  // record of what triggered it; none: a timer or a person
  RunState state = RunState::queued;
  int attempt = 1;
  WallTime due = {};
  std::optional<WallTime> started = {};
  std::optional<WallTime> ended = {};
  std::optional<int> status = {};  // exit status; 128 + n: killed by signal n; none: interrupted
  std::string output = {};
};

// Names a process for as long as it lives: its pid and when it started. Empty if there is none.
std::string runner_of(const ProcessTable& processes, int pid);

class TaskQueue {
 public:
  explicit TaskQueue(Database& database) : database_(database) {}

  // ---- what is to be run

  // One run, not before `due`. A once_per_batch task that has a run queued gets no second: that one
  // becomes the first attempt for this event, due by `due`. Gives the run's id.
  Result<int64_t> enqueue(const Task& task, std::optional<int64_t> event, WallTime due);

  // Runs for all events after the mark "tasks.event" (the first call only sets it: the past
  // triggers nothing), and the mark moved behind them, in one database transaction.
  Done enqueue_for_new_events(const std::vector<Task>& tasks, WallTime now);

  // Runs for timers that struck. A new timer begins now; one that struck while we were off has one
  // run, however often it would have struck; one whose last run still waits has no second.
  Done enqueue_due_timers(const std::vector<Task>& tasks, WallTime now);

  // ---- what is to be done next

  // When a run can start or a timer strikes next; not later than `now`: at once; none: never. Tasks
  // with a run at work are left out: look again when it ended.
  Result<std::optional<WallTime>> next_due(const std::vector<Task>& tasks, WallTime now);

  // The run to start next, none if nothing may start now. It stays queued until `started`.
  Result<std::optional<TaskRun>> take_next(const std::vector<Task>& tasks, WallTime now);

  // ---- how it goes

  // `runner`: runner_of the process that answers for it, which may be handed on (daemon to child)
  // by another call. An error if the run is neither queued nor running.
  Done started(int64_t run, const std::string& runner, WallTime now);

  // Ends a running run, or does nothing. Success: done, event 2014. Else the next attempt is queued
  // at now + retry_after; after the last one: failed, event 2015. Private keys in `output` are
  // removed, and only its end is kept.
  Done finished(const std::vector<Task>& tasks, int64_t run, std::optional<int> status,
                const std::string& output, WallTime now);

  // Ends the runs whose runner is no more, as failed attempts; the next attempt is due at once.
  // Runs that were begun by hand are not retried.
  Done interrupted(const std::vector<Task>& tasks, const ProcessTable& processes, WallTime now);

  // ---- for people

  // A run that begins now, beside the queue, and is not retried. Code::busy while the task has one
  // at work.
  Result<int64_t> begin_now(const Task& task, std::optional<int64_t> event,
                            const std::string& runner, WallTime now);
  // Marks that the task is new: events before now do not trigger it, its timer begins anew.
  Done added(const Task& task, WallTime now);
  // Forgets the marks of a task and what waits for it; its history stays.
  Done removed(const std::string& task);
  Result<TaskRun> find(int64_t run);
  // Newest first, without their output; of one task unless the name is empty.
  Result<std::vector<TaskRun>> history(const std::string& task);
  // Finished runs beyond the last 1,000 and those older than `keep_days` go, and so does what has
  // waited for so long.
  Done prune(WallTime now, int keep_days);

 private:
  Database& database_;
};

}  // namespace certrebind
