#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/list_options.h"
#include "cli/task_commands.h"
#include "state/state.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

struct TaskHistoryOptions {
  ListOptions list;
  std::string task;
  int64_t id = 0;
};

std::string time_text(const std::optional<WallTime>& time) {
  return time ? local_time_text(*time) : "-";
}

void print_runs(const std::vector<TaskRun>& runs) {
  Table table({"ID", "TASK", "ATTEMPT", "EVENT", "DUE", "ENDED", "STATE"});
  for (const TaskRun& run : runs)
    table.add({std::to_string(run.id), printable(run.task), std::to_string(run.attempt),
               run.event ? std::to_string(*run.event) : "-", local_time_text(run.due),
               time_text(run.ended), task_status_text(run)});
  print(table.text());
}

int show_one(Context& context, TaskQueue& queue, const TaskHistoryOptions& options) {
  auto run = queue.find(options.id);
  if (!run) return report(run.error());
  if (!options.task.empty() && run->task != options.task)
    return report({Code::usage, "show", fmt::format("run {}", run->id),
                   fmt::format("it is one of task {}", printable(run->task)),
                   fmt::format("certrebind task history --id {}", run->id)});
  if (context.json()) {
    Json json = to_json(*run);
    json["output"] = run->output;
    print_json(json);
    return kDone;
  }
  print_runs({*run});
  for (const std::string& line : split(run->output, '\n'))
    if (!line.empty()) print_whole("  " + printable(line) + "\n");
  return kDone;
}

// A removed task may have run. A name that is not a task and never ran was mistyped.
int show_none(Context& context, const TaskHistoryOptions& options) {
  if (!options.task.empty())
    if (auto task = task_named(load_tasks(context), options.task); !task)
      return report(task.error());
  context.json() ? print_json({{"runs", Json::array()}, {"left_out", 0}})
                 : print_line("no task was run yet");
  return kDone;
}

int show_all(Context& context, TaskQueue& queue, const TaskHistoryOptions& options) {
  auto runs = queue.history(options.task);
  if (!runs) return report(runs.error());
  if (runs->empty()) return show_none(context, options);
  const size_t left_out = runs->size() - options.list.shown_of(runs->size());
  runs->erase(runs->end() - static_cast<ptrdiff_t>(left_out), runs->end());
  if (context.json()) {
    Json json = Json::array();
    for (const TaskRun& run : *runs) json.push_back(to_json(run));
    print_json({{"runs", std::move(json)}, {"left_out", left_out}});
  } else {
    print_runs(*runs);
    print(more_line(left_out, "certrebind task history"));
  }
  return kDone;
}

int history(Context& context, const TaskHistoryOptions& options) {
  auto state = State::open_for_reading(context.settings());
  if (!state && (state.error().code != Code::not_found || options.id != 0))
    return report(state.error());
  if (!state) return show_none(context, options);
  TaskQueue queue(state->database());
  return options.id != 0 ? show_one(context, queue, options) : show_all(context, queue, options);
}

}  // namespace

std::string task_status_text(const TaskRun& run) {
  if (run.state != RunState::failed) return to_text(run.state);
  if (!run.status) return "interrupted";
  if (*run.status > 128) return fmt::format("failed (signal {})", *run.status - 128);
  return fmt::format("failed (exit {})", *run.status);
}

Json to_json(const TaskRun& run) {
  auto time = [](const std::optional<WallTime>& at) { return at ? to_rfc3339(*at) : ""; };
  Json json = {{"id", run.id},
               {"task", printable(run.task)},
               {"state", to_text(run.state)},
               {"attempt", run.attempt},
               {"due", to_rfc3339(run.due)},
               {"started", time(run.started)},
               {"ended", time(run.ended)}};
  if (run.event) json["event"] = *run.event;
  if (run.status) json["status"] = *run.status;
  return json;
}

CommandSpec task_history_command() {
  auto options = std::make_shared<TaskHistoryOptions>();
  return {.name = "history",
          .summary = "what was run, and how it ended",
          .options = {{"task", &options->task, "only of this task", "NAME"},
                      {"--id", &options->id, "one run, with its output", "N", Need::optional,
                       record_number},
                      limit_option(options->list, "--limit,-n", "print only the newest N")},
          .footer = "Example:\n  certrebind task history deploy\n  certrebind task history --id 12",
          .run = [options](Context& context) { return history(context, *options); },
          .pages = true};
}

}  // namespace certrebind
