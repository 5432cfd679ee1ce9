#include "daemon/task_worker.h"

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/task_match.h"
#include "daemon/task_output.h"
#include "daemon/task_program.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

constexpr int kCannotStart = 127;

TaskResult cannot_run(const Error& error) {
  std::string text = "certrebind: " + error.message() + "\n";
  if (!error.hint.empty()) text += "  " + error.hint + "\n";
  return {.status = kCannotStart, .output = std::move(text)};
}

// A program of root's that is led to a directory of another user's reads there whatever that user
// puts there, be it a link to a file of root's. Returns what to tell; empty: all is root's.
std::string leave_out_what_others_rule(const Files& files, EventFacts& facts) {
  if (own_user() != 0 || facts.path.empty()) return "";
  std::string told;
  for (std::string* path : {&facts.path, &facts.lineage}) {
    Done safe = path->empty() ? Done() : SafeWay(files).to_content(*path);
    if (safe) continue;
    told = fmt::format("certrebind: $(Path) and $(Lineage) are empty: {}: {}\n",
                       printable(safe.error().subject), safe.error().cause);
  }
  if (!told.empty()) facts.path = facts.lineage = "";
  return told;
}

}  // namespace

TaskResult run_task(const Host& host, const Settings& settings, const Task& task,
                    const std::optional<Event>& event, const std::string& home) {
  EventFacts facts = event ? facts_of(*event) : EventFacts{};
  const std::string untold = leave_out_what_others_rule(host.files, facts);
  Command command = command_for(task, facts, settings, home);
  auto program = program_of(host.files, command);
  if (!program) return cannot_run(program.error());
  command.arguments.front() = *program;
  auto ran = host.commands.run(command, task.time_limit);
  if (!ran) return cannot_run(ran.error());
  std::string output = untold + ran->output;
  if (ran->timed_out)
    output += fmt::format("\ncertrebind: killed, because it did not end within {}\n",
                          to_text(task.time_limit));
  return {.status = ran->status, .output = kept_output(std::move(output))};
}

}  // namespace certrebind
