#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/rebind_options.h"
#include "cli/rebind_task.h"
#include "state/wake.h"

namespace certrebind {

namespace {

struct Options {
  RebindOptions pair;
  bool notify_only = false;
};

int switch_over(Context& context, const Options& options) {
  auto request = request_of(options.pair, context);
  if (!request) return report(request.error());
  auto database = State::open_beside(context.host().files, context.settings());
  if (!database) return report(database.error());
  Host host = context.host();
  Journal journal(*database, host.clock);
  auto memory = recall(*database, journal);
  if (!memory) return report(memory.error());
  auto prepared = prepare(host, context.settings(), context.prober(), *memory, *request);
  if (!prepared) return report(prepared.error());
  WallTime now = context.host().clock.wall();
  Done logged = options.notify_only ? announce(*database, *prepared, now)
                                    : declare(*database, *prepared, now, false);
  if (!logged) return report(logged.error());
  wake_daemon(context.host().files, context.settings());
  for (const Succession& succession : prepared->successions)
    print_line(fmt::format("{} succeeds {}: {}",
                           succession.new_one.bundle.leaf.outline.thumbprint.brief(),
                           succession.old_one.thumbprint.brief(),
                           options.notify_only ? "said to the tasks, nothing more" : "declared"));
  if (!options.notify_only && !daemon_runs(context.settings()))
    print_line("no daemon runs; next: certrebind rebind --pending");
  return kDone;
}

}  // namespace

void add_switch(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("switch", "declare that NEW succeeds OLD: the tasks do the rest");
  add_pair_options(*command, options->pair);
  command->add_flag("--notify-only", options->notify_only,
                    "log the event and nothing else, to try a task");
  command->footer("Example:\n  certrebind switch 1a2b3c4d /etc/ssl/new.pem");
  command->callback([&chosen, options] {
    chosen = [options](Context& context) { return switch_over(context, *options); };
  });
}

}  // namespace certrebind
