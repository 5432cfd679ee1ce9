#include "daemon/task_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "daemon/task_match.h"
#include "daemon/task_output.h"
#include "daemon/task_runs.h"
#include "daemon/task_timer.h"
#include "state/key_value.h"

namespace certrebind {

namespace {

constexpr const char* kEventMark = "tasks.event";
constexpr int kRunsKept = 1'000;
constexpr std::string_view kByHand =
    " by hand";  // suffix of a runner: started manually, so a person sees the failure

std::string timer_mark(const std::string& task) {
  return "timer." + task;
}
// Events up to this record are older than the task.
std::string added_mark(const std::string& task) {
  return "added." + task;
}

int64_t number_in(const std::optional<std::string>& text) {
  int64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

int64_t count(WallTime time) {
  return time.time_since_epoch().count();
}

int64_t last_record(Database& database) {
  return database.handle().execAndGet("SELECT coalesce(max(record), 0) FROM events").getInt64();
}

const Task* task_of(const std::vector<Task>& tasks, const std::string& name) {
  auto found = std::ranges::find(tasks, name, &Task::name);
  return found == tasks.end() ? nullptr : &*found;
}

// ---- events

void enqueue_for(Database& database, const std::vector<Task>& tasks,
                 const std::vector<Event>& events, WallTime now) {
  std::vector<int64_t> added;
  for (const Task& task : tasks)
    added.push_back(number_in(stored_value(database, added_mark(task.name))));
  for (const Event& event : events) {
    EventFacts facts = facts_of(event);
    for (size_t i = 0; i < tasks.size(); ++i)
      if (event.record > added[i] && triggers(tasks[i], facts))
        enqueue_run(database, tasks[i], event.record, now);
  }
}

// ---- timers

struct TimerMark {
  WallTime last;
  std::string timer;
  std::string text() const { return fmt::format("{} {}", count(last), timer); }
};

// When the task's timer last elapsed; unset if it never did, or if the timer was different.
std::optional<WallTime> last_strike(Database& database, const Task& task) {
  auto text = stored_value(database, timer_mark(task.name));
  if (!text || !text->ends_with(" " + timer_text(task))) return std::nullopt;
  return WallTime(milliseconds(number_in(text)));
}

void struck(Database& database, const Task& task, WallTime now) {
  TimerMark mark{.last = now, .timer = timer_text(task)};
  store_value(database, timer_mark(task.name), mark.text());
}

bool has_timer_run_waiting(Database& database, const Task& task) {
  return !runs_where(database, "state = 'queued' AND task = ? AND event IS NULL LIMIT 1", task.name)
              .empty();
}

void look_at_timer(Database& database, const Task& task, WallTime now) {
  // A disabled timer restarts when it is enabled.
  if (!task.enabled) return erase_value(database, timer_mark(task.name));
  auto last = last_strike(database, task);
  if (!last || is_implausible(task, *last, now)) return struck(database, task, now);
  if (strikes_after(task, *last, now) > now) return;
  if (!has_timer_run_waiting(database, task)) enqueue_run(database, task, {}, now);
  struck(database, task, now);
}

// ---- choosing the next run

// No run is ever queued for later than its task's pause. If one appears to be, it was queued before
// the clock was set back.
WallTime plausible_due(const Task& task, WallTime due, WallTime now) {
  return due > now + task.retry_after ? now : due;
}

struct Waiting {
  TaskRun run;
  WallTime at;  // the earliest start
};

std::optional<Waiting> waiting_of(Database& database, const Task& task, WallTime now) {
  if (!task.enabled || is_running(database, task.name)) return std::nullopt;
  auto run = first_queued(database, task.name);
  if (!run) return std::nullopt;
  WallTime at = plausible_due(task, run->due, now);
  if (task.window) at = opens_at(*task.window, std::max(at, now));
  return Waiting{.run = std::move(*run), .at = at};
}

// ---- ends of runs

void end_run(Database& database, const TaskRun& run, RunState state, WallTime now) {
  SQLite::Statement update(database.handle(),
                           "UPDATE task_runs SET state = ?, ended_ms = ?, status = ?, output = ? "
                           "WHERE id = ?");
  update.bind(1, to_text(state));
  update.bind(2, count(now));
  if (run.status) update.bind(3, *run.status);
  update.bind(4, run.output);
  update.bind(5, run.id);
  update.exec();
}

std::string ending_text(const TaskRun& run) {
  if (!run.status) return "it was interrupted";
  if (*run.status > 128) return fmt::format("it was ended by signal {}", *run.status - 128);
  return fmt::format("its exit status was {}", *run.status);
}

std::string sentence_for(const TaskRun& run, EventId id) {
  if (id == EventId::task_done) return fmt::format("task {} is done (run {})", run.task, run.id);
  return fmt::format("task {} failed, {}: {}; certrebind task history --id {} shows its output",
                     run.task,
                     run.attempt == 1 ? "without a retry" : fmt::format("{} times", run.attempt),
                     ending_text(run), run.id);
}

void log_ending(Database& database, const TaskRun& run, EventId id, WallTime now) {
  nlohmann::ordered_json details = {{"task", run.task}, {"run", run.id}, {"attempt", run.attempt}};
  if (run.status) details["status"] = *run.status;
  Event event{.id = id, .at = now, .message = sentence_for(run, id)};
  auto trigger = run.event ? find_event(database, *run.event)
                           : Result<Event>(fail(Code::not_found, "", "", ""));
  if (trigger) {
    event.service = trigger->service;
    event.old_thumbprint = trigger->old_thumbprint;
    event.new_thumbprint = trigger->new_thumbprint;
    event.names = trigger->names;
    details["trigger"] = static_cast<int>(trigger->id);
  }
  event.details = details.dump();
  append_event(database, event);
}

void try_again(Database& database, const Task& task, const TaskRun& run, WallTime due) {
  // A queued run for newer events covers this one too.
  if (task.once_per_batch && first_queued(database, task.name)) return;
  insert_run(database,
             {.task = run.task, .event = run.event, .attempt = run.attempt + 1, .due = due});
}

struct Ending {
  std::optional<int> status;
  std::string output;
  milliseconds pause;  // before the next attempt
};

void finish(Database& database, const Task& task, TaskRun run, const Ending& ending, WallTime now) {
  if (run.state != RunState::running) return;
  run.status = ending.status;
  run.output = kept_output(ending.output);
  bool done = run.status == 0;
  end_run(database, run, done ? RunState::done : RunState::failed, now);
  if (done) return log_ending(database, run, EventId::task_done, now);
  if (run.attempt <= task.retries) return try_again(database, task, run, now + ending.pause);
  log_ending(database, run, EventId::task_failed, now);
}

bool is_alive(const ProcessTable& processes, const std::string& runner) {
  auto pid = static_cast<int>(number_in(runner));
  return pid > 0 && runner_of(processes, pid) == runner;
}

}  // namespace

std::string runner_of(const ProcessTable& processes, int pid) {
  auto process = processes.find(pid);
  return process ? fmt::format("{} {}", pid, process->started) : "";
}

Result<int64_t> TaskQueue::enqueue(const Task& task, std::optional<int64_t> event, WallTime due) {
  int64_t id = 0;
  Done done = database_.atomically("queue a run of a task",
                                   [&] { id = enqueue_run(database_, task, event, due); });
  if (!done) return pass(done);
  return id;
}

Done TaskQueue::enqueue_for_new_events(const std::vector<Task>& tasks, WallTime now) {
  auto mark = database_.guarded("read how far tasks are",
                                [&] { return stored_value(database_, kEventMark); });
  if (!mark) return pass(mark);
  auto events = *mark ? events_after(database_, number_in(*mark)) : Result<std::vector<Event>>();
  if (!events) return pass(events);
  if (*mark && events->empty()) return {};
  return database_.atomically("queue runs for events", [&] {
    if (stored_value(database_, kEventMark) != *mark)
      return;  // another process has advanced the mark
    if (*mark) enqueue_for(database_, tasks, *events, now);
    int64_t seen = *mark ? events->back().record : last_record(database_);
    store_value(database_, kEventMark, std::to_string(seen));
  });
}

Done TaskQueue::enqueue_due_timers(const std::vector<Task>& tasks, WallTime now) {
  bool any = std::ranges::any_of(tasks, &Task::has_timer);
  if (!any) return {};
  return database_.atomically("queue runs for timers", [&] {
    for (const Task& task : tasks)
      if (task.has_timer()) look_at_timer(database_, task, now);
  });
}

Result<std::optional<WallTime>> TaskQueue::failed_last(const Task& task) {
  return database_.guarded("read the queue of tasks", [&] {
    auto ended = runs_where(
        database_, "task = ? AND ended_ms IS NOT NULL ORDER BY ended_ms DESC, id DESC LIMIT 1",
        task.name);
    const bool failed = !ended.empty() && ended.front().state == RunState::failed;
    return failed ? ended.front().ended : std::nullopt;
  });
}

Result<std::optional<WallTime>> TaskQueue::next_due(const std::vector<Task>& tasks, WallTime now) {
  return database_.guarded("read the queue of tasks", [&] {
    std::optional<WallTime> next;
    auto consider = [&](WallTime at) { next = next ? std::min(*next, at) : at; };
    for (const Task& task : tasks) {
      if (auto waiting = waiting_of(database_, task, now)) consider(waiting->at);
      if (task.enabled && task.has_timer())
        consider(strikes_after(task, last_strike(database_, task).value_or(now), now));
    }
    return next;
  });
}

Result<std::optional<TaskRun>> TaskQueue::take_next(const std::vector<Task>& tasks, WallTime now) {
  return database_.guarded("read the queue of tasks", [&] {
    std::optional<TaskRun> first;
    for (const Task& task : tasks) {
      auto waiting = waiting_of(database_, task, now);
      if (!waiting || waiting->at > now) continue;
      if (!first || std::pair(waiting->run.due, waiting->run.id) < std::pair(first->due, first->id))
        first = std::move(waiting->run);
    }
    return first;
  });
}

Done TaskQueue::started(int64_t run, const std::string& runner, WallTime now) {
  auto changed = database_.guarded("begin a run of a task", [&] {
    SQLite::Statement update(database_.handle(),
                             "UPDATE task_runs SET state = 'running', started_ms = ?, runner = ? "
                             "WHERE id = ? AND state IN ('queued', 'running')");
    update.bind(1, count(now));
    update.bind(2, runner);
    update.bind(3, run);
    return update.exec();
  });
  if (!changed) return pass(changed);
  if (*changed == 1) return {};
  return fail(Code::failed, "begin run", std::to_string(run), "it has ended already, or never was",
              "certrebind task history lists what was run");
}

Done TaskQueue::finished(const std::vector<Task>& tasks, int64_t run, std::optional<int> status,
                         const std::string& output, WallTime now) {
  return database_.atomically("end a run of a task", [&] {
    auto row = run_of(database_, run);
    if (!row) return;
    const Task* known = task_of(tasks, row->task);
    Task gone;
    gone.retries = 0;
    const Task& task = known ? *known : gone;
    finish(database_, task, *row, {status, output, task.retry_after}, now);
  });
}

Done TaskQueue::interrupted(const std::vector<Task>& tasks, const ProcessTable& processes,
                            WallTime now) {
  return database_.atomically("end what was interrupted", [&] {
    for (const TaskRun& run : runs_where(database_, "state = ?", "running")) {
      std::string runner = runner_in(database_, run.id);
      bool by_hand = runner.ends_with(kByHand);
      if (by_hand) runner.resize(runner.size() - kByHand.size());
      if (is_alive(processes, runner)) continue;
      const Task* known = task_of(tasks, run.task);
      Task task = known ? *known : Task{};
      if (by_hand) task.retries = 0;
      finish(database_, task, run, {{}, "the certrebind that ran it is gone\n", {}}, now);
    }
  });
}

Result<int64_t> TaskQueue::begin_now(const Task& task, std::optional<int64_t> event,
                                     const std::string& runner, WallTime now) {
  int64_t id = 0;
  Done done = database_.atomically("begin a run of a task", [&] {
    if (is_running(database_, task.name)) return;
    id = insert_run(
        database_,
        {.task = task.name, .event = event, .state = RunState::running, .due = now, .started = now},
        runner + std::string(kByHand));
  });
  if (!done) return pass(done);
  if (id == 0) return fail(Code::busy, "run the task", task.name, "it is running already");
  return id;
}

Done TaskQueue::added(const Task& task, WallTime now) {
  return database_.atomically("add a task", [&] {
    store_value(database_, added_mark(task.name), std::to_string(last_record(database_)));
    if (!stored_value(database_, kEventMark))
      store_value(database_, kEventMark, std::to_string(last_record(database_)));
    if (task.has_timer()) struck(database_, task, now);
  });
}

Done TaskQueue::removed(const std::string& task) {
  return database_.atomically("remove a task", [&] {
    for (const std::string& mark : {timer_mark(task), added_mark(task)})
      erase_value(database_, mark);
    SQLite::Statement remove(database_.handle(),
                             "DELETE FROM task_runs WHERE state = 'queued' AND task = ?");
    remove.bind(1, task);
    remove.exec();
  });
}

Result<TaskRun> TaskQueue::find(int64_t run) {
  auto row = database_.guarded("read a run of a task", [&] { return run_of(database_, run); });
  if (!row) return pass(row);
  if (!*row)
    return fail(Code::not_found, "find run", std::to_string(run), "there is none of that number",
                "certrebind task history lists them");
  return std::move(**row);
}

Result<std::vector<TaskRun>> TaskQueue::history(const std::string& task) {
  return database_.guarded("read the runs of tasks", [&] {
    return runs_where(database_, "?1 IN ('', task) ORDER BY id DESC", task);
  });
}

Done TaskQueue::prune(WallTime now, int keep_days) {
  return database_.atomically("forget old runs", [&] {
    SQLite::Statement remove(
        database_.handle(),
        "DELETE FROM task_runs WHERE (state IN ('done', 'failed') AND (ended_ms < ?1 OR id NOT IN "
        "(SELECT id FROM task_runs WHERE state IN ('done', 'failed') ORDER BY id DESC LIMIT ?2))) "
        "OR (state = 'queued' AND due_ms < ?1)");
    remove.bind(1, count(now - std::chrono::days(keep_days)));
    remove.bind(2, kRunsKept);
    remove.exec();
  });
}

}  // namespace certrebind
