#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/own_program.h"
#include "cli/rebind_task.h"
#include "cli/renewer_output.h"
#include "rebind/survey.h"
#include "state/wake.h"

namespace certrebind {

namespace {

constexpr milliseconds kSystemctlPatience = std::chrono::seconds(60);
constexpr const char* kUnit = "certrebind.service";

bool has_systemd(const Files& files) {
  return files.stat("/run/systemd/system").has_value();
}

// What is said of the daemon; it is not started twice.
std::string start_daemon(Context& context) {
  Host host = context.host();
  if (daemon_runs(context.settings())) return "the daemon runs already";
  if (!has_systemd(host.files) || own_user() != 0)
    return "no systemd to start the daemon: have it started at boot by what this system has, as\n"
           "  certrebind daemon";
  auto started = host.commands.run({{"/usr/bin/systemctl", "enable", "--now", kUnit}, "", {}},
                                   kSystemctlPatience);
  if (started && started->status == 0)
    return "the daemon was started (systemd: certrebind.service)";
  return fmt::format("systemd could not start the daemon: {}\n  next: systemctl status {}",
                     started ? std::string(trim(started->output)) : started.error().message(),
                     kUnit);
}

void tell_what_is_looked_after(Context& context, const Survey& survey) {
  size_t after = 0;
  std::vector<std::string> left_out;
  for (const SurveyedBinding& bound : survey.bindings) {
    std::string why = bound.binding.not_editable;
    if (why.empty() && bound.disk && !bound.disk->problem.empty()) why = bound.disk->problem;
    if (why.empty()) {
      ++after;
    } else {
      left_out.push_back(fmt::format("  {}: {}", printable(bound.binding.site), printable(why)));
    }
  }
  print_line(fmt::format("looked after: {} of {}", count_of(after, "binding"),
                         count_of(survey.services.found.size(), "server")));
  std::map<std::string, size_t> by_renewer;
  Renewers renewers(context.host().files, context.settings().stores, own_user());
  for (const SurveyedBinding& bound : survey.bindings)
    if (!bound.binding.certificate.path.empty()) {
      auto owner = renewers.owner_of(bound.binding.certificate.path);
      ++by_renewer[owner ? renewer_text(owner) : "nobody that is known: by hand, it seems"];
    }
  for (const auto& [renewer, count] : by_renewer)
    print_line(fmt::format("  {} renewed by {}", count_of(count, "binding"), renewer));
  if (!left_out.empty()) print_line("not covered:");
  for (const std::string& line : left_out) print_line(line);
}

int enable(Context& context) {
  Host host = context.host();
  auto program = own_program(host.files);
  if (!program) return report(program.error());
  auto database = State::open_beside(host.files, context.settings());
  if (!database) return report(database.error());
  auto surveyed = survey(host, {});
  if (!surveyed) return report(surveyed.error());
  auto noted = remember_survey(*database, *surveyed, true, host.clock.wall());
  if (!noted) return report(noted.error());
  const std::string directory = context.settings().tasks_directory();
  Task task = rebind_task(*program);
  Done added = add_task(host.files, directory, own_user(), task);
  if (!added && added.error().code != Code::exists) return report(added.error());
  if (added) {
    // From this moment on events count, whether a daemon runs already or not.
    TaskQueue queue(*database);
    Done counted = queue.added(task, host.clock.wall());
    if (!counted) return report(counted.error());
    // What is stale already need not wait for an event.
    auto queued = queue.enqueue(task, std::nullopt, host.clock.wall());
    if (!queued) return report(queued.error());
    wake_daemon(host.files, context.settings());
  }
  print_line(added ? fmt::format("enabled: {}/{}.toml", directory, kRebindTask)
                   : "enabled already");
  print_line(start_daemon(context));
  tell_what_is_looked_after(context, *surveyed);
  print_diagnostics(surveyed->diagnostics);
  return kDone;
}

int disable(Context& context) {
  Host host = context.host();
  Done removed =
      remove_task(host.files, context.settings().tasks_directory(), own_user(), kRebindTask);
  if (!removed && removed.error().code == Code::not_found) {
    print_line("it was not enabled; nothing to do");
    return kDone;
  }
  if (!removed) return report(removed.error());
  auto database = State::open_beside(host.files, context.settings());
  if (database)
    if (Done forgotten = TaskQueue(*database).removed(kRebindTask); !forgotten)
      return report(forgotten.error());
  print_line("disabled: nothing is rebound by itself any more");
  if (daemon_runs(context.settings()))
    print_line("the daemon goes on logging; to end it: systemctl disable --now certrebind");
  return kDone;
}

}  // namespace

void add_enable(CLI::App& app, Invocation& chosen) {
  CLI::App* on =
      app.add_subcommand("enable", "from now on every renewal is noticed, and rebound by itself");
  on->footer("Example:\n  certrebind enable");
  on->callback([&chosen] { chosen = enable; });
  CLI::App* off = app.add_subcommand("disable", "no longer rebind by itself");
  off->footer("Example:\n  certrebind disable");
  off->callback([&chosen] { chosen = disable; });
}

}  // namespace certrebind
