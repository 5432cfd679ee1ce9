#include "daemon/daemon.h"

#include "cli/command_line.h"
#include "cli/own_program.h"

namespace certrebind {

namespace {

int run_daemon(Context& context) {
  // With what the file said before, renewals go on; the daemon says what is wrong with it now.
  const ConfigSource& source = context.config_source();
  if (source.mistake && source.file.empty()) return report(*source.mistake);
  auto program = own_program(context.host().files);
  if (!program) return report(program.error());
  Daemon daemon(context.host(), context.settings(), *program, own_user());
  Done ran = daemon.run();
  return ran ? kDone : report(ran.error());
}

}  // namespace

CommandSpec daemon_command() {
  return {.name = "daemon",
          .summary = "watch certificates, keep the lifecycle log, run tasks; until SIGTERM",
          .footer =
              "Mostly started by systemd: certrebind enable. SIGHUP makes it look at everything "
              "again.\n"
              "Example:\n  certrebind daemon",
          .run = run_daemon,
          .takes_services = false,
          .bears_mistakes = true};
}

}  // namespace certrebind
