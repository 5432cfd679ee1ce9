#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/notify_task.h"
#include "cli/output.h"
#include "cli/own_program.h"
#include "cli/rebind_task.h"
#include "cli/renewer_output.h"
#include "plan/pending.h"
#include "state/wake.h"
#include "sys/guard.h"

namespace certrebind {

namespace {

constexpr milliseconds kSystemctlPatience = std::chrono::seconds(60);
constexpr const char* kUnit = "certrebind.service";
constexpr const char* kNobody = "none";  // instead of an address

bool has_systemd(const Files& files) {
  return files.stat("/run/systemd/system").has_value();
}

// The daemon's state as a message, and whether it is as requested.
struct DaemonStart {
  std::string text;
  bool failed = false;
  bool started = false;
};

// Does not start it twice.
DaemonStart start_daemon(Context& context) {
  Host host = context.host();
  if (daemon_runs(context.settings())) return {"the daemon runs already"};
  if (!has_systemd(host.files) || own_user() != 0)
    return {
        "no systemd to start the daemon: have it started at boot by what this system has, as\n"
        "  certrebind daemon"};
  auto started = host.commands.run({{"/usr/bin/systemctl", "enable", "--now", kUnit}, "", {}},
                                   kSystemctlPatience);
  if (started && started->status == 0)
    return {.text = "the daemon was started (systemd: certrebind.service)", .started = true};
  return {
      fmt::format("systemd could not start the daemon: {}\n  next: systemctl status {}",
                  started ? std::string(trim(started->output)) : started.error().message(), kUnit),
      true};
}

// Empty: the binding is managed.
std::string why_left_out(const SurveyedBinding& bound) {
  if (!bound.binding.not_editable.empty()) return bound.binding.not_editable;
  if (bound.left_alone) return "a policy leaves it alone";
  return bound.disk ? bound.disk->problem : "";
}

// The bindings that are rebound automatically from now on, and the others.
struct Coverage {
  struct LeftOut {
    std::string site, why;
  };
  size_t bindings = 0, servers = 0;
  std::map<std::string, size_t> by_renewer;
  std::vector<LeftOut> left_out;
};

Coverage coverage_of(Context& context, const Survey& survey) {
  Coverage coverage;
  std::set<const Service*> servers;
  Renewers renewers(context.host().files, context.settings().stores, own_user());
  for (const SurveyedBinding& bound : survey.bindings) {
    std::string why = why_left_out(bound);
    if (why.empty()) {
      ++coverage.bindings;
      servers.insert(bound.service);
    } else {
      coverage.left_out.push_back({printable(bound.binding.site), printable(why)});
    }
    if (bound.binding.certificate.path.empty()) continue;
    auto owner = renewers.owner_of(bound.binding.certificate.path);
    ++coverage.by_renewer[owner ? renewer_text(owner) : "unknown (by hand?)"];
  }
  coverage.servers = servers.size();
  return coverage;
}

void print_coverage(const Coverage& coverage) {
  print_line(fmt::format("looked after: {} of {}", count_of(coverage.bindings, "binding"),
                         count_of(coverage.servers, "server")));
  for (const auto& [renewer, count] : coverage.by_renewer)
    print_line(fmt::format("  {} renewed by: {}", count_of(count, "binding"), renewer));
  if (!coverage.left_out.empty()) print_line("not covered:");
  for (const auto& [site, why] : coverage.left_out) print_line(fmt::format("  {}: {}", site, why));
}

Json to_json(const Coverage& coverage) {
  Json left_out = Json::array();
  for (const auto& [site, why] : coverage.left_out)
    left_out.push_back({{"site", site}, {"why", why}});
  return {{"bindings", coverage.bindings},
          {"servers", coverage.servers},
          {"renewed_by", coverage.by_renewer},
          {"not_covered", std::move(left_out)}};
}

// Writes the task that tells somebody, or removes it. Returns what to print.
Result<std::string> tell_whom(Context& context, Database& database, const std::string& program,
                              const std::string& to) {
  Host host = context.host();
  const std::string directory = context.settings().tasks_directory();
  const LoadedTasks before = load_tasks(host.files, directory, own_user());
  const Task* known = before.find(kNotifyTask);
  const bool same =
      to != kNobody && known != nullptr && to_toml(*known) == to_toml(notify_task(program, to));
  Done removed = remove_task(host.files, directory, own_user(), kNotifyTask);
  if (!removed && removed.error().code != Code::not_found) return pass(removed);
  if (!same && (removed || to != kNobody)) note_change();
  if (to == kNobody) return "nobody is told what needs a person: see certrebind status";
  const Task task = notify_task(program, to);
  if (Done added = add_task(host.files, directory, own_user(), task); !added) return pass(added);
  TaskQueue queue(database);
  if (Done counted = queue.added(task, host.clock.wall()); !counted) return pass(counted);
  wake_daemon(host.files, context.settings());
  if (lacks_sendmail(host.files, task))
    return fmt::format("what needs a person cannot be told to {} yet: there is no {}; next: {}",
                       printable(to), kSendmail, kMailServerHint);
  return fmt::format("what needs a person is told to {}; next: certrebind notify --to {} --test",
                     printable(to), shell_quoted(printable(to)));
}

// Asks on a terminal, unless it was asked before.
std::string ask_whom(Context& context) {
  LoadedTasks tasks =
      load_tasks(context.host().files, context.settings().tasks_directory(), own_user());
  if (tasks.find(kNotifyTask) != nullptr || !stdin_is_terminal() || context.json()) return "";
  print_line("Whom to tell what needs a person? mailto:ADDRESS, https://WEBHOOK, or none:");
  std::string typed;
  std::getline(std::cin, typed);
  return std::string(trim(typed));
}

int enable(Context& context, const std::string& notify) {
  const std::string to = notify.empty() ? ask_whom(context) : notify;
  if (Done known = to.empty() || to == kNobody ? Done() : check_notify_address(to); !known)
    return report(known.error());
  Host host = context.host();
  auto program = own_program(host.files);
  if (!program) return report(program.error());
  auto database = State::open_beside(host.files, context.settings());
  if (!database) return report(database.error());
  auto surveyed = survey(host, {});
  if (!surveyed) return report(surveyed.error());
  leave_alone(context.settings(), *surveyed);
  auto noted = remember_survey(*database, *surveyed, true, host.clock.wall());
  if (!noted) return report(noted.error());
  const std::string directory = context.settings().tasks_directory();
  Task task = rebind_task(*program);
  Done added = add_task(host.files, directory, own_user(), task);
  if (!added && added.error().code != Code::exists) return report(added.error());
  if (added) {
    // From now on events trigger tasks, whether a daemon already runs or not.
    TaskQueue queue(*database);
    Done counted = queue.added(task, host.clock.wall());
    if (!counted) return report(counted.error());
    // Existing stale bindings need not wait for an event.
    auto queued = queue.enqueue(task, std::nullopt, host.clock.wall());
    if (!queued) return report(queued.error());
    wake_daemon(host.files, context.settings());
  }
  Result<std::string> told = "";
  if (!to.empty()) told = tell_whom(context, *database, *program, to);
  if (!told) return report(told.error());
  const std::string path = fmt::format("{}/{}.toml", directory, kRebindTask);
  const DaemonStart daemon = start_daemon(context);
  const Coverage coverage = coverage_of(context, *surveyed);
  if (added || daemon.started) note_change();
  if (daemon.failed) note_failure({.message = daemon.text, .next = "systemctl status certrebind"});
  if (context.json()) {
    Json json = {{"task", path}, {"was_enabled", !added}, {"daemon", daemon.text}, {"notify", to}};
    json.update(to_json(coverage));
    json["diagnostics"] = to_json(surveyed->diagnostics);
    print_json(json);
    return daemon.failed ? kDiffers : kDone;
  }
  print_line(added ? "enabled: " + path : "enabled already");
  print_line(daemon.text);
  if (!told->empty()) print_line(*told);
  print_coverage(coverage);
  print_diagnostics(surveyed->diagnostics);
  return daemon.failed ? kDiffers : kDone;
}

// Deletes queued runs; running ones continue. Returns whether a rebind is running.
Result<bool> forget_queued(Context& context) {
  auto database = State::open_beside(context.host().files, context.settings());
  if (!database) return false;
  TaskQueue queue(*database);
  if (Done forgotten = queue.removed(kRebindTask); !forgotten) return pass(forgotten);
  auto runs = queue.history(kRebindTask);
  return runs && std::ranges::any_of(
                     *runs, [](const TaskRun& run) { return run.state == RunState::running; });
}

int disable(Context& context) {
  Host host = context.host();
  Done removed =
      remove_task(host.files, context.settings().tasks_directory(), own_user(), kRebindTask);
  bool was_enabled = removed.has_value();
  if (!was_enabled && removed.error().code != Code::not_found) return report(removed.error());
  Result<bool> at_work = false;
  if (was_enabled) at_work = forget_queued(context);
  if (!at_work) return report(at_work.error());
  bool runs = daemon_runs(context.settings());
  if (was_enabled) note_change();
  if (context.json()) {
    print_json({{"was_enabled", was_enabled}, {"rebind_at_work", *at_work}, {"daemon_runs", runs}});
    return kDone;
  }
  if (!was_enabled) {
    print_line("it was not enabled; nothing to do");
    return kDone;
  }
  print_line(
      *at_work ? "disabled: a rebind is running and will complete; no further one starts by itself"
               : "disabled: nothing is rebound automatically any more");
  if (runs)
    print_line(std::string("the daemon goes on logging; to end it: ") +
               (has_systemd(host.files)
                    ? "systemctl disable --now certrebind"
                    : "send it SIGTERM, and have it no longer started at boot"));
  return kDone;
}

}  // namespace

CommandSpec enable_command() {
  auto notify = std::make_shared<std::string>();
  return {.name = "enable",
          .summary = "from now on every renewal is noticed, and rebound by itself",
          .options = {{"--notify", notify.get(),
                       "whom to tell what needs a person: mailto:ADDRESS, the https:// URL of a "
                       "webhook, or none",
                       "ADDRESS"}},
          .footer = "Example:\n  certrebind enable --notify mailto:ops@example.com",
          .run = [notify](Context& context) { return enable(context, *notify); },
          .takes_services = false};
}

CommandSpec disable_command() {
  return {.name = "disable",
          .summary = "no longer rebind by itself",
          .footer = "Example:\n  certrebind disable",
          .run = disable,
          .takes_services = false};
}

}  // namespace certrebind
