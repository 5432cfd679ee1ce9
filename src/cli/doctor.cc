// `doctor`: what would keep the next rebind from working, each with what mends it.
#include "acts/doctor.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/notify_task.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "cli/task_commands.h"

namespace certrebind {

namespace {

Attention ailment_of(const char* subject, const Error& error, const char* next) {
  return {.subject = subject,
          .sentence = error.message(),
          .next = error.hint.empty() ? next : error.hint};
}

void look_at_configuration(Context& context, const LoadedTasks& tasks,
                           std::vector<Attention>& found) {
  if (const auto& mistake = context.config_source().mistake)
    found.push_back(ailment_of("configuration", *mistake, "certrebind config check"));
  for (const Error& error : tasks.errors)
    found.push_back(ailment_of("tasks", error, "certrebind config check"));
}

// Under systemd: whether the daemon comes back after a reboot.
bool is_started_at_boot(const Files& files) {
  constexpr const char* kWanted = "/etc/systemd/system/multi-user.target.wants/certrebind.service";
  return !files.stat("/run/systemd/system") || files.lstat(kWanted);
}

void look_at_daemon(Context& context, const LoadedTasks& tasks, std::vector<Attention>& found) {
  const bool enabled = rebinds_automatically(tasks), runs = daemon_runs(context.settings());
  if (!enabled)
    found.push_back(
        {.subject = "daemon",
         .sentence = "renewals are not rebound by themselves: certrebind is not enabled",
         .next = "certrebind enable"});
  if (enabled && !runs)
    found.push_back({.subject = "daemon",
                     .sentence = "the daemon does not run, so no renewal is noticed",
                     .next = "systemctl enable --now certrebind"});
  if (enabled && runs && !is_started_at_boot(context.host().files))
    found.push_back({.subject = "daemon",
                     .sentence = "the daemon runs, but is not started after a reboot",
                     .next = "systemctl enable certrebind"});
  const Task* notify = tasks.find(kNotifyTask);
  if (notify != nullptr && lacks_sendmail(context.host().files, *notify))
    found.push_back({.subject = "notify",
                     .sentence = fmt::format("mail cannot be sent: there is no {}", kSendmail),
                     .next = kMailServerHint});
  if (enabled && notify == nullptr)
    found.push_back({.subject = "notify",
                     .sentence = "nobody is told what needs a person",
                     .next = "certrebind enable --notify mailto:ADDRESS"});
}

// It holds keys, and every rebind writes there first.
void look_at_state(Context& context, std::vector<Attention>& found) {
  const std::string& path = context.settings().state_directory;
  Files& files = context.host().files;
  auto info = files.stat(path);
  if (!info && info.error().code == Code::not_found) return;  // it is made when it is needed
  if (!info) return found.push_back(ailment_of("state", info.error(), "run this as root"));
  if ((info->mode & 0077) != 0)
    found.push_back({.subject = "state",
                     .sentence = fmt::format("others than its owner may enter {}, which holds keys",
                                             printable(path)),
                     .next = "chmod 0700 " + shell_quoted(printable(path))});
  if (info->owner != own_user())
    return found.push_back(
        {.subject = "state",
         .sentence = fmt::format("{} belongs to user {}", printable(path), info->owner),
         .next = own_user() == 0 ? "chown root: " + shell_quoted(printable(path))
                                 : "run this as root"});
  std::ranges::move(ailments_of_directory("state", path), std::back_inserter(found));
}

int print_ailments(const Context& context, const std::vector<Attention>& found,
                   const std::vector<Diagnostic>& diagnostics) {
  const int code = found.empty() ? kDone : kDiffers;
  if (context.json()) {
    Json all = Json::array();
    for (const Attention& each : found)
      all.push_back({{"subject", printable(each.subject)},
                     {"sentence", printable(each.sentence)},
                     {"next", printable(each.next)}});
    print_json({{"found", std::move(all)}, {"diagnostics", to_json(diagnostics)}});
    return code;
  }
  for (const Attention& each : found) print_sentence(coloured(Colour::yellow, each.subject), each);
  if (found.empty()) print_line("nothing was found that would keep the next rebind from working");
  return code;
}

int doctor(Context& context) {
  std::vector<Attention> found;
  const LoadedTasks tasks = load_tasks(context);
  look_at_configuration(context, tasks, found);
  look_at_daemon(context, tasks, found);
  look_at_state(context, found);
  TerminalWatcher watcher;
  auto judged =
      make_report(context.looking(), context.history(), watcher.progress_of("handshakes"));
  if (!judged) {
    found.push_back(ailment_of("servers", judged.error(), "certrebind check"));
    return print_ailments(context, found, {});
  }
  const bool autoenrolls = tasks.find(kAutoenrollTask) != nullptr;
  std::ranges::move(ailments_of_servers(context.looking(), *judged, autoenrolls),
                    std::back_inserter(found));
  if (judged->survey.services.found.empty())
    found.push_back({.subject = "servers",
                     .sentence = no_server_text(judged->survey.diagnostics),
                     .next = "certrebind scan"});
  return print_ailments(context, found, judged->survey.diagnostics);
}

}  // namespace

CommandSpec doctor_command() {
  return {.name = "doctor",
          .summary = "what would keep the next rebind from working, and how to mend it",
          .footer =
              "It changes nothing. Exit codes: 0 nothing found; 1 something found.\n"
              "Example:\n  certrebind doctor",
          .run = doctor,
          .bears_mistakes = true,
          .pages = true};
}

}  // namespace certrebind
