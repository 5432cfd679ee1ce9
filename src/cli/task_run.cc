#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/task_commands.h"
#include "daemon/task_worker.h"
#include "state/wake.h"

namespace certrebind {

namespace {

constexpr milliseconds kLookEvery(200);

struct TaskRunOptions {
  std::string task;
  int64_t event = 0;
  int64_t queued = 0;
};

std::string home() {
  const char* set = std::getenv("HOME");
  return set != nullptr && *set != '\0' ? set : own_user() == 0 ? "/root" : "/";
}

Result<std::optional<Event>> event_of(Database& database, std::optional<int64_t> record) {
  if (!record) return std::nullopt;
  auto event = find_event(database, *record);
  if (!event) return pass(event);
  return std::optional(std::move(*event));
}

// Another run of the task may be in progress, and runs never overlap.
Result<int64_t> begin_when_free(Context& context, TaskQueue& queue, const LoadedTasks& loaded,
                                const Task& task, std::optional<int64_t> event) {
  Host host = context.host();
  std::string runner = runner_of(host.processes, own_pid());
  for (bool told = false;; told = true) {
    Done cleared = queue.interrupted(loaded.tasks, host.processes, host.clock.wall());
    if (!cleared) return pass(cleared);
    auto run = queue.begin_now(task, event, runner, host.clock.wall());
    if (run || run.error().code != Code::busy) return run;
    if (!told) print_error("waiting for the run of it that is at work");
    host.clock.sleep(kLookEvery);
  }
}

void print_result(Context& context, int64_t run, const TaskResult& result) {
  note_change();  // by whatever the task runs
  print_json({{"run", run}, {"status", result.status}, {"output", result.output}});
  if (!context.json()) {
    print_whole(result.output);
    if (!result.output.empty() && !result.output.ends_with('\n')) print_line("");
  }
  if (result.status == 0) return;
  const std::string message =
      fmt::format("the task failed with exit status {} (run {})", result.status, run);
  print_error("certrebind: " + message);
  note_failure({.message = message, .next = fmt::format("certrebind task history --id {}", run)});
}

int run_by_hand(Context& context, const TaskRunOptions& options) {
  LoadedTasks loaded = load_tasks(context);
  auto task = task_named(loaded, options.task);
  if (!task) return report_lookup(context, task.error());
  auto database = open_queue(context);
  if (!database) return report(database.error());
  std::optional<int64_t> record;
  if (options.event != 0) record = options.event;
  auto event = event_of(*database, record);
  if (!event) return report(event.error());
  TaskQueue queue(*database);
  auto run = begin_when_free(context, queue, loaded, *task, record);
  if (!run) return report(run.error());
  TaskResult result = run_task(context.host(), context.settings(), *task, *event, home());
  task->retries = 0;  // the person who typed it sees the failure
  Done noted =
      queue.finished({*task}, *run, result.status, result.output, context.host().clock.wall());
  print_result(context, *run, result);
  if (!noted) return report(noted.error());
  return result.status == 0 ? kDone : kDiffers;
}

// Runs the task with its event from the queue. If either is gone, the run fails.
TaskResult carry_out(Context& context, Database& database, const LoadedTasks& loaded,
                     const TaskRun& run) {
  auto task = task_named(loaded, run.task);
  auto event = event_of(database, run.event);
  if (task && event) return run_task(context.host(), context.settings(), *task, *event, home());
  const Error& error = task ? event.error() : task.error();
  return {.status = kUsage, .output = "certrebind: " + error.message() + "\n"};
}

int run_queued(Context& context, const TaskRunOptions& options) {
  auto database = open_queue(context);
  if (!database) return report(database.error());
  TaskQueue queue(*database);
  Host host = context.host();
  auto run = queue.find(options.queued);
  if (!run) return report(run.error());
  Done begun = queue.started(run->id, runner_of(host.processes, own_pid()), host.clock.wall());
  if (!begun) return report(begun.error());
  LoadedTasks loaded = load_tasks(context);
  TaskResult result = carry_out(context, *database, loaded, *run);
  Done noted =
      queue.finished(loaded.tasks, run->id, result.status, result.output, host.clock.wall());
  if (!noted) return report(noted.error());
  // The daemon that started this run may be gone, and another one may wait for its end.
  wake_daemon(host.files, context.settings());
  print_json({{"run", run->id}, {"status", result.status}, {"output", result.output}});
  note_change();
  return result.status == 0 ? kDone : kDiffers;
}

int run(Context& context, const TaskRunOptions& options) {
  if (options.queued != 0) return run_queued(context, options);
  if (!options.task.empty()) return run_by_hand(context, options);
  return report({Code::usage, "run", "a task", "none is named", "certrebind task list shows them"});
}

}  // namespace

CommandSpec task_run_command() {
  auto options = std::make_shared<TaskRunOptions>();
  return {.name = "run",
          .summary = "run a task now and show its output",
          .options = {{"task", &options->task, "its name", "NAME"},
                      {"--event", &options->event,
                       "as if this event had triggered it: a record of certrebind events", "RECORD",
                       Need::optional, record_number},
                      // For the daemon only.
                      {"--queued", &options->queued, "", "INT"}},
          .footer =
              "Exit codes: 0; 1 if the task failed: it is not retried.\n"
              "Example:\n  certrebind task run deploy --event 17",
          .run = [options](Context& context) { return run(context, *options); }};
}

}  // namespace certrebind
