#include "transaction/systemd_unit.h"

#include <fmt/format.h>

#include "base/number.h"
#include "base/text.h"
#include "sys/day_time.h"
#include "transaction/candidate_check.h"

namespace certrebind {

namespace {

constexpr milliseconds kAnswer = std::chrono::seconds(30);
// systemd itself waits 90 seconds for the old process to end, and 90 for the new one to be ready.
constexpr milliseconds kRestart = std::chrono::minutes(5);

Result<std::string> ask(Commands& commands, std::vector<std::string> arguments,
                        milliseconds deadline, bool printed_only) {
  Command command;
  command.arguments = {"/usr/bin/systemctl", "--no-ask-password"};
  std::ranges::move(arguments, std::back_inserter(command.arguments));
  command.environment.emplace(std::begin(kPlainEnvironment), std::end(kPlainEnvironment));
  command.printed_only = printed_only;
  auto ran = commands.run(command, deadline);
  if (!ran) return pass(ran);
  if (ran->timed_out)
    return fail(Code::timed_out, "run", command.text(),
                fmt::format("it did not end within {}", to_text(deadline)));
  if (ran->status != 0)
    return fail(Code::failed, "run", command.text(),
                fmt::format("it exited with {}:{}", ran->status, excerpt(ran->output)));
  return std::move(ran->output);
}

}  // namespace

// Units are divided by an empty line. The order of their properties is not certain.
Result<std::string> unit_of(Commands& commands, int pid) {
  auto shown = ask(commands, {"show", "--property=Id,MainPID", "*.service"}, kAnswer, true);
  if (!shown) return pass(shown);
  std::string id;
  bool is_it = false;
  for (const std::string& line : split(*shown + "\n\n", '\n')) {
    if (line.starts_with("Id=")) id = line.substr(3);
    if (line.starts_with("MainPID=")) is_it = line.substr(8) == std::to_string(pid);
    if (!line.empty()) continue;
    if (is_it && !id.empty()) return id;
    id.clear();
    is_it = false;
  }
  return fail(Code::not_found, "find the unit of process", std::to_string(pid),
              "it is not the main process of a systemd service");
}

Result<int> main_process_of(Commands& commands, const std::string& unit) {
  auto shown = ask(commands, {"show", "--property=MainPID", "--value", "--", unit}, kAnswer, true);
  if (!shown) return pass(shown);
  return whole_number<int>(trim(*shown)).value_or(0);
}

Done restart_unit(Commands& commands, const std::string& unit) {
  if (auto done = ask(commands, {"restart", "--", unit}, kRestart, false); !done) return pass(done);
  return {};
}

}  // namespace certrebind
