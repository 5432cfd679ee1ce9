#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/task_commands.h"
#include "daemon/task_match.h"
#include "daemon/task_program.h"
#include "state/state.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

constexpr size_t kRunsShown = 5;

std::string trigger_text(const Task& task) {
  std::vector<std::string> parts;
  for (int id : task.events)
    parts.push_back(fmt::format("{} {}", id, to_text(static_cast<EventId>(id))));
  if (task.every) parts.push_back("every " + to_text(*task.every));
  if (task.daily_at) parts.push_back("daily at " + time_of_day_text(*task.daily_at));
  if (task.window) parts.push_back("within " + task.window->text());
  return join(parts, ", ");
}

// Newest first; empty if there is no state yet.
Result<std::vector<TaskRun>> runs_of(Context& context, const std::string& task) {
  auto state = State::open_for_reading(context.settings());
  if (!state && state.error().code == Code::not_found) return std::vector<TaskRun>();
  if (!state) return pass(state);
  return TaskQueue(state->database()).history(task);
}

std::string last_text(const std::vector<TaskRun>& runs, const std::string& task) {
  auto last = std::ranges::find(runs, task, &TaskRun::task);
  if (last == runs.end()) return "never";
  std::string when = local_time_text(last->ended.value_or(last->started.value_or(last->due)));
  return fmt::format("{} {}", when, task_status_text(*last));
}

// When each task would run next, by its name; missing: nothing is due.
using NextRuns = std::map<std::string, WallTime>;

Result<NextRuns> next_runs(Context& context, const std::vector<Task>& tasks) {
  NextRuns next;
  auto state = State::open_for_reading(context.settings());
  if (!state && state.error().code == Code::not_found) return next;
  if (!state) return pass(state);
  TaskQueue queue(state->database());
  const WallTime now = context.host().clock.wall();
  for (const Task& task : tasks) {
    auto due = queue.next_due({task}, now);
    if (!due) return pass(due);
    if (!*due) continue;
    WallTime at = std::max(**due, now);
    next[task.name] = task.window ? opens_at(*task.window, at) : at;
  }
  return next;
}

Json to_json(const Task& task) {
  std::vector<std::string> names, command, event_names;
  for (int id : task.events) event_names.push_back(to_text(static_cast<EventId>(id)));
  for (const std::string& name : task.filter.names) names.push_back(printable(name));
  for (const std::string& argument : task.command) command.push_back(printable(argument));
  Json environment = Json::object();
  for (const auto& [name, value] : task.environment) environment[name] = printable(value);
  return {{"name", task.name},
          {"description", printable(task.description)},
          {"enabled", task.enabled},
          {"events", task.events},
          {"event_names", std::move(event_names)},
          {"names", std::move(names)},
          {"store", printable(task.filter.store)},
          {"issuer", printable(task.filter.issuer)},
          {"service", printable(task.filter.service)},
          {"every", task.every ? to_text(*task.every) : ""},
          {"daily_at", task.daily_at ? time_of_day_text(*task.daily_at) : ""},
          {"window", task.window ? task.window->text() : ""},
          {"command", std::move(command)},
          {"environment", std::move(environment)},
          {"time_limit", to_text(task.time_limit)},
          {"retries", task.retries},
          {"retry_after", to_text(task.retry_after)},
          {"once_per_batch", task.once_per_batch}};
}

Json errors_json(const std::vector<Error>& errors) {
  Json json = Json::array();
  for (const Error& error : errors)
    json.push_back({{"message", printable(error.message())}, {"hint", error.hint}});
  return json;
}

std::string next_text(const Task& task, const NextRuns& next, WallTime now) {
  if (!task.enabled) return "disabled";
  auto due = next.find(task.name);
  if (due == next.end()) return task.events.empty() ? "when the daemon runs" : "with its event";
  return due->second <= now ? "now" : local_time_text(due->second);
}

void print_tasks(Context& context, const LoadedTasks& loaded, const std::vector<TaskRun>& runs,
                 const NextRuns& next) {
  const WallTime now = context.host().clock.wall();
  for (const Task& task : loaded.tasks) {
    print_line(printable(task.name) + (task.enabled ? "" : "  (disabled)"));
    print_line("  when  " + trigger_text(task));
    print_line("        " + printable(Command{task.command, {}}.text()));
    print_line("  last  " + last_text(runs, task.name));
    print_line("  next  " + next_text(task, next, now));
  }
  if (loaded.tasks.empty() && loaded.errors.empty())
    print_line("there is no task yet; certrebind task add --help shows how to add one");
  for (const Error& error : loaded.errors) warn(error);
}

int list_tasks(Context& context) {
  LoadedTasks loaded = load_tasks(context);
  auto runs = runs_of(context, "");
  if (!runs) return report(runs.error());
  auto next = next_runs(context, loaded.tasks);
  if (!next) return report(next.error());
  if (context.json()) {
    Json tasks = Json::array();
    for (const Task& task : loaded.tasks) {
      tasks.push_back(to_json(task));
      if (next->contains(task.name)) tasks.back()["next_run"] = to_rfc3339(next->at(task.name));
      auto last = std::ranges::find(*runs, task.name, &TaskRun::task);
      if (last != runs->end()) tasks.back()["last_run"] = to_json(*last);
    }
    print_json({{"tasks", std::move(tasks)}, {"errors", errors_json(loaded.errors)}});
  } else {
    print_tasks(context, loaded, *runs, *next);
  }
  return loaded.errors.empty() ? kDone : kDiffers;
}

int show_task(Context& context, const std::string& name) {
  auto task = task_named(load_tasks(context), name);
  if (!task) return report_lookup(context, task.error());
  auto runs = runs_of(context, name);
  if (!runs) return report(runs.error());
  if (context.json()) {
    Json json = to_json(*task);
    json["runs"] = Json::array();
    for (const TaskRun& run : *runs) json["runs"].push_back(to_json(run));
    print_json(json);
    return kDone;
  }
  // The content of the file without default values.
  for (const std::string& line : split(to_toml(*task), '\n')) print_whole(printable(line) + "\n");
  if (runs->empty()) print_line("it never ran");
  for (size_t i = 0; i < std::min(runs->size(), kRunsShown); ++i)
    print_line(fmt::format("run {}: {}, {}", (*runs)[i].id, task_status_text((*runs)[i]),
                           local_time_text((*runs)[i].due)));
  return kDone;
}

int remove(Context& context, const std::string& name) {
  auto database = open_queue(context);
  if (!database) return report(database.error());
  Done removed =
      remove_task(context.host().files, context.settings().tasks_directory(), own_user(), name);
  if (!removed) return report(removed.error());
  if (Done forgot = TaskQueue(*database).removed(name); !forgot) return report(forgot.error());
  note_change();
  if (context.json())
    print_json({{"removed", name}});
  else
    print_line(fmt::format("task {} is removed; its history stays", name));
  return kDone;
}

}  // namespace

CommandSpec named_task_command(const char* name, const char* summary, const char* footer,
                               std::function<int(Context&, const std::string&)> act) {
  auto task = std::make_shared<std::string>();
  return {.name = name,
          .summary = summary,
          .options = {{"task", task.get(), "its name", "NAME", Need::required}},
          .footer = footer,
          .run = [task, act](Context& context) { return act(context, *task); }};
}

LoadedTasks load_tasks(Context& context) {
  return load_tasks(context.host().files, context.settings().tasks_directory(), own_user());
}

Result<Task> task_named(const LoadedTasks& loaded, const std::string& name) {
  if (const Task* task = loaded.find(name)) return *task;
  for (const Error& error : loaded.errors) {
    bool is_of_directory = error.subject.find(".toml") == std::string::npos;
    if (is_of_directory || error.subject.find("/" + name + ".toml") != std::string::npos)
      return fail(error);
  }
  return fail(loaded.no_such_task(name));
}

Done check_program(Context& context, const Task& task) {
  if (task.command.front().contains("$(")) return {};
  const Command command = command_for(task, {}, context.settings(), "/");
  auto program = program_of(context.host().files, command);
  if (!program) return pass(program);
  return {};
}

Result<Database> open_queue(Context& context) {
  return State::open_beside(context.host().files, context.settings());
}

CommandSpec task_command() {
  return {
      .name = "task",
      .summary = "commands that are run when something happens to a certificate",
      .footer =
          "Tasks are files in tasks.d beside the configuration file: certrebind-tasks(5).\n"
          "Example:\n"
          "  certrebind task add deploy --event 1001 -- /usr/local/sbin/deploy '$(NewCertHash)'",
      .subcommands =
          {{.name = "list",
            .summary = "all tasks, and how their last run ended",
            .footer =
                "Exit codes: 0; 1 if a file is no task.\nExample:\n  certrebind task list --json",
            .run = list_tasks,
            .pages = true},
           named_task_command("show", "one task, and its last runs",
                              "Example:\n  certrebind task show deploy", show_task),
           task_add_command(),
           task_edit_command(),
           task_enable_command(),
           task_disable_command(),
           named_task_command("remove", "remove a task and what waits for it",
                              "Example:\n  certrebind task remove deploy", remove),
           task_run_command(),
           task_history_command()},
      .takes_services = false};
}

}  // namespace certrebind
