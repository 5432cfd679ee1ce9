#include "daemon/daemon.h"

#include "cli/commands.h"
#include "cli/own_program.h"

namespace certrebind {

namespace {

int run_daemon(Context& context) {
  auto program = own_program(context.host().files);
  if (!program) return report(program.error());
  Daemon daemon(context.host(), context.settings(), *program, own_user());
  Done ran = daemon.run();
  return ran ? kDone : report(ran.error());
}

}  // namespace

void add_daemon(CLI::App& app, Invocation& chosen) {
  CLI::App* command = app.add_subcommand(
      "daemon", "watch certificates, keep the lifecycle log, run tasks; until SIGTERM");
  command->footer(
      "Mostly started by systemd: certrebind enable. SIGHUP makes it look at everything again.\n"
      "Example:\n  certrebind daemon");
  command->callback([&chosen] { chosen = run_daemon; });
}

}  // namespace certrebind
