#include "daemon/task_worker.h"

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/task_match.h"
#include "daemon/task_output.h"

namespace certrebind {

namespace {

constexpr int kCannotStart = 127;

bool is_program(const Files& files, const std::string& path) {
  auto info = files.stat(path);
  return info && info->kind == FileKind::regular && (info->mode & 0111) != 0;
}

std::string search_path(const Command& command) {
  for (const std::string& variable : *command.environment)
    if (variable.starts_with("PATH=")) return variable.substr(5);
  return "";
}

// Searches like execvp(3), but in the PATH that the program itself will have.
Result<std::string> program_for(const Files& files, const Command& command) {
  const std::string& typed = command.arguments.front();
  if (typed.starts_with('/')) return typed;
  if (typed.find('/') == std::string::npos)
    for (const std::string& directory : split(search_path(command), ':'))
      if (directory.starts_with('/') && is_program(files, directory + "/" + typed))
        return directory + "/" + typed;
  return fail(Code::not_found, "run", printable(typed), "no such program lies in its PATH",
              "give its absolute path");
}

TaskResult cannot_run(const Error& error) {
  std::string text = "certrebind: " + error.message() + "\n";
  if (!error.hint.empty()) text += "  " + error.hint + "\n";
  return {.status = kCannotStart, .output = std::move(text)};
}

}  // namespace

TaskResult run_task(const Host& host, const Settings& settings, const Task& task,
                    const std::optional<Event>& event, const std::string& home) {
  Command command = command_for(task, event ? facts_of(*event) : EventFacts{}, settings, home);
  auto program = program_for(host.files, command);
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
