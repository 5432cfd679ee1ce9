#include "daemon/task_worker.h"

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/task_match.h"
#include "daemon/task_output.h"
#include "daemon/task_program.h"

namespace certrebind {

namespace {

constexpr int kCannotStart = 127;

TaskResult cannot_run(const Error& error) {
  std::string text = "certrebind: " + error.message() + "\n";
  if (!error.hint.empty()) text += "  " + error.hint + "\n";
  return {.status = kCannotStart, .output = std::move(text)};
}

}  // namespace

TaskResult run_task(const Host& host, const Settings& settings, const Task& task,
                    const std::optional<Event>& event, const std::string& home) {
  Command command = command_for(task, event ? facts_of(*event) : EventFacts{}, settings, home);
  auto program = program_of(host.files, command);
  if (!program) return cannot_run(program.error());
  command.arguments.front() = *program;
  auto ran = host.commands.run(command, task.time_limit);
  if (!ran) return cannot_run(ran.error());
  std::string output = std::move(ran->output);
  if (ran->timed_out)
    output += fmt::format("\ncertrebind: killed, because it did not end within {}\n",
                          to_text(task.time_limit));
  return {.status = ran->status, .output = kept_output(std::move(output))};
}

}  // namespace certrebind
