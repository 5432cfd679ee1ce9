#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/rebind_options.h"
#include "cli/rebind_task.h"
#include "cli/render_plan.h"
#include "cli/typed_request.h"
#include "state/wake.h"

namespace certrebind {

namespace {

struct SwitchOptions {
  RebindOptions pair;
  bool notify_only = false;
};

std::string text_of(const Succession& succession) {
  return fmt::format("{} succeeds {}", succession.new_one.bundle.leaf.outline.thumbprint.brief(),
                     succession.old_one.thumbprint.brief());
}

// The successions that the tasks are told: all, or only those that need work.
std::vector<const Succession*> declared_in(const Prepared& prepared, bool notify_only) {
  std::vector<const Succession*> declared;
  for (const Succession& succession : prepared.successions)
    if (notify_only || prepared.acts_on(succession)) declared.push_back(&succession);
  return declared;
}

void tell_json(const Prepared& prepared, bool notify_only) {
  Json declared = Json::array();
  for (const Succession* succession : declared_in(prepared, notify_only))
    declared.push_back({{"old", succession->old_one.thumbprint.hex()},
                        {"new", succession->new_thumbprint().hex()}});
  Json json = {{"notify_only", notify_only}, {"declared", std::move(declared)}};
  json.update(to_json(prepared));
  print_json(json);
}

void tell_notified(const Prepared& prepared) {
  for (const Succession* succession : declared_in(prepared, true))
    print_line(text_of(*succession) + ": said to the tasks, nothing more");
}

void tell_declared(const Context& context, const Prepared& prepared) {
  std::vector<const Succession*> declared = declared_in(prepared, false);
  for (const Succession* succession : declared) print_line(text_of(*succession) + ": declared");
  for (const Plan& plan : prepared.plans) print_findings(plan.findings);
  if (prepared.refused()) print_line("refused: what is refused is not declared");
  print_idle(prepared);
  print_diagnostics(prepared.survey.diagnostics);
  if (!declared.empty() && !daemon_runs(context.settings()))
    print_line("no daemon runs; next: certrebind rebind --pending");
}

int switch_over(Context& context, const SwitchOptions& options) {
  auto request = request_of(options.pair, context);
  if (!request) return report(request.error());
  auto database = State::open_beside(context.host().files, context.settings());
  if (!database) return report(database.error());
  Host host = context.host();
  Journal journal(*database, host.clock);
  auto history = read_history(*database, journal);
  if (!history) return report(history.error());
  bool differs = false;
  std::optional<FoundSites> sites;
  if (!request->sites.empty()) {
    auto found = find_sites(context, *history, *request);
    if (!found) return report(found.error());
    Json json = {{"notify_only", options.notify_only}, {"declared", Json::array()}};
    if (auto code = tell_no_pair(context, *found, std::move(json))) return *code;
    differs = found->differs;
    sites.emplace(std::move(*found));
  }
  auto prepared =
      sites ? prepare_pending(context.looking(), *history, sites->found.look,
                              request->rebind.preference, false)
            : prepare(host, context.settings(), context.asker(), *history, request->rebind);
  if (!prepared) return report(prepared.error());
  WallTime now = context.host().clock.wall();
  Done logged = options.notify_only ? announce(*database, *prepared, now)
                                    : log_declared(*database, *prepared, now);
  if (logged && !options.notify_only) logged = make_standing(*database, *prepared, {}, now);
  if (!logged) return report(logged.error());
  wake_daemon(context.host().files, context.settings());
  if (!declared_in(*prepared, options.notify_only).empty()) note_change();
  if (!options.notify_only) note_refusal(*prepared);
  if (context.json()) {
    tell_json(*prepared, options.notify_only);
  } else if (options.notify_only) {
    tell_notified(*prepared);
  } else {
    tell_declared(context, *prepared);
  }
  differs = differs || prepared->refused() || prepared->overlooked() || prepared->exchanged;
  return differs && !options.notify_only ? kDiffers : kDone;
}

}  // namespace

CommandSpec switch_command() {
  auto options = std::make_shared<SwitchOptions>();
  std::vector<CommandOption> all = pair_options(options->pair);
  all.push_back(
      {"--notify-only", &options->notify_only, "log the event and nothing else, to try a task"});
  return {.name = "switch",
          .summary = "declare that NEW succeeds OLD: the tasks do the rest",
          .options = std::move(all),
          .footer =
              "Examples:\n  certrebind switch www.example.com\n  certrebind switch 1a2b3c4d "
              "/etc/ssl/new.pem",
          .run = [options](Context& context) { return switch_over(context, *options); }};
}

}  // namespace certrebind
