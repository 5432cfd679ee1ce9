#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "acts/check_report.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "cli/renewer_output.h"
#include "lifecycle/attention.h"
#include "lifecycle/events.h"
#include "store/bound.h"
#include "store/watched_places.h"
#include "sys/day_time.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

constexpr size_t kShown = 5;

// A bound certificate file: what a server serves, or will after its next reload.
struct Expiring {
  std::string path;
  std::string thumbprint;
  WallTime not_after;
  std::string renewer;
  std::vector<std::string> sites;
};

struct Status {
  bool enabled = false;
  bool running = false;
  std::optional<WallTime> daemon_since;  // since when it runs, or does not; unset: not known
  std::optional<WallTime> surveyed;      // when what follows was seen; unset: never
  std::vector<Expiring> expiring;        // the soonest first
  std::vector<Error> bad_tasks;
  std::vector<BoundRow> bound;
  std::vector<Place> places;  // the soonest expiry first
  std::vector<TransactionRow> rebinds;
  std::vector<Attention> attention;
};

// Since when the daemon runs, or does not run. Unset if the log does not tell: it never ran, or it
// was killed.
Result<std::optional<WallTime>> daemon_since(Database& database, bool running) {
  auto events = events_after(database, 0);
  if (!events) return pass(events);
  for (const Event& event : *events | std::views::reverse)
    if (event.id == EventId::daemon_started || event.id == EventId::daemon_stopped)
      return running == (event.id == EventId::daemon_started) ? std::optional(event.at)
                                                              : std::nullopt;
  return std::nullopt;
}

// Each bound file once, with its sites.
class ExpiringFiles {
 public:
  explicit ExpiringFiles(Context& context)
      : renewers_(context.host().files, context.settings().stores, own_user()) {}

  void add(const std::string& path, const std::string& thumbprint, WallTime end,
           const std::string& site) {
    Expiring& file = files_[path];
    if (file.path.empty())
      file = {path, thumbprint, end, renewer_text(renewers_.owner_of(path)), {}};
    if (std::ranges::find(file.sites, site) == file.sites.end()) file.sites.push_back(site);
  }

  std::vector<Expiring> soonest_first() {
    std::vector<Expiring> all;
    for (auto& [path, file] : files_) all.push_back(std::move(file));
    std::ranges::stable_sort(all, {}, &Expiring::not_after);
    return all;
  }

 private:
  Renewers renewers_;
  std::map<std::string, Expiring> files_;
};

// From what the daemon and the last survey wrote down.
std::vector<Expiring> expiring_as_noted(Context& context, const Status& status) {
  ExpiringFiles files(context);
  std::map<std::string, const Place*> places;
  for (const Place& place : status.places) places[place.path] = &place;
  for (const BoundRow& row : status.bound)
    if (auto place = places.find(row.certificate); place != places.end())
      files.add(row.certificate, place->second->thumbprint, place->second->not_after, row.site);
  return files.soonest_first();
}

std::vector<Expiring> expiring_now(Context& context, const Survey& survey) {
  ExpiringFiles files(context);
  for (const SurveyedBinding& bound : survey.bindings)
    if (bound.disk && bound.disk->certificate)
      files.add(bound.binding.certificate.path, bound.disk->certificate->thumbprint.hex(),
                bound.disk->certificate->not_after, bound.binding.site);
  return files.soonest_first();
}

// Replaces the result of the last survey by what `check` would report now, so that both agree.
Done judge_now(Context& context, Status& status) {
  // A running command changes the result all the time.
  if (State::is_taken(context.settings())) return {};
  TerminalWatcher watcher;
  auto report =
      make_report(context.looking(), context.history(), watcher.progress_of("handshakes"));
  if (!report) return pass(report);
  status.surveyed = context.host().clock.wall();
  status.expiring = expiring_now(context, report->survey);
  status.attention = attention_now(context.settings(), std::move(status.attention), *report,
                                   status.enabled, context.host().clock.wall());
  return {};
}

Result<Status> look_at_state(Context& context) {
  Status status;
  LoadedTasks tasks =
      load_tasks(context.host().files, context.settings().tasks_directory(), own_user());
  status.enabled = rebinds_automatically(tasks);
  status.running = daemon_runs(context.settings());
  status.bad_tasks = std::move(tasks.errors);
  auto state = State::open_for_reading(context.settings());
  if (!state && state.error().code == Code::not_found) {
    if (Done judged = judge_now(context, status); !judged) return pass(judged);
    return status;
  }
  if (!state) return pass(state);
  auto bound = bound_rows(state->database());
  if (!bound) return pass(bound);
  status.bound = std::move(*bound);
  auto places =
      state->database().guarded("list the places", [&] { return all_places(state->database()); });
  if (!places) return pass(places);
  status.places = std::move(*places);
  std::erase_if(status.places, [](const Place& place) { return place.thumbprint.empty(); });
  std::ranges::sort(status.places, {}, &Place::not_after);
  Journal journal(state->database(), context.host().clock);
  auto rows = journal.all();
  if (!rows) return pass(rows);
  status.rebinds = std::move(*rows);
  std::ranges::reverse(status.rebinds);
  auto needed = attention(state->database());
  if (!needed) return pass(needed);
  status.attention = std::move(*needed);
  auto left = interrupted(context.settings(), journal);
  if (!left) return pass(left);
  auto surveyed = last_survey(state->database());
  if (!surveyed) return pass(surveyed);
  status.surveyed = *surveyed;
  status.expiring = expiring_as_noted(context, status);
  auto since = daemon_since(state->database(), status.running);
  if (!since) return pass(since);
  status.daemon_since = *since;
  if (Done judged = judge_now(context, status); !judged) return pass(judged);
  std::ranges::move(attention_of(*left), std::back_inserter(status.attention));
  return status;
}

size_t services_of(const Status& status) {
  std::set<std::string> services;
  for (const BoundRow& row : status.bound) services.insert(row.service);
  return services.size();
}

// When what waits for a window is done.
void print_windows(const std::vector<Policy>& policies, WallTime now) {
  std::set<std::string> told;
  for (const Policy& policy : policies)
    if (auto window = parse_window(policy.window); window && told.insert(policy.window).second)
      print_line("window " + opening_text(*window, now));
}

// "3 hours ago", "just now".
std::string ago_text(WallTime time, WallTime now) {
  using namespace std::chrono;
  const auto minutes_ago = floor<minutes>(now - time).count();
  if (minutes_ago < 1) return "just now";
  const auto count = static_cast<size_t>(minutes_ago);
  if (count < 120) return count_of(count, "minute") + " ago";
  return count < 48 * 60 ? count_of(count / 60, "hour") + " ago"
                         : count_of(count / (24 * 60), "day") + " ago";
}

std::string since_text(const std::optional<WallTime>& since, WallTime now) {
  return since ? fmt::format(" since {} ({})", local_time_text(*since), ago_text(*since, now)) : "";
}

void print_daemon(const Status& status, WallTime now) {
  if (status.running) return print_line("daemon: runs" + since_text(status.daemon_since, now));
  print_line(coloured(status.enabled ? Colour::red : Colour::yellow, "daemon: does not run") +
             since_text(status.daemon_since, now));
  print_line("  next: systemctl start certrebind, or certrebind daemon");
}

void print_expiring(const Status& status, const ListOptions& list, WallTime now) {
  if (status.expiring.empty()) return;
  constexpr size_t kFewSites = 2;
  const size_t shown = list.limit == 0 ? std::min(kShown, status.expiring.size())
                                       : list.shown_of(status.expiring.size());
  print_line("expires next:");
  Table table({"EXPIRES", "SITE", "RENEWED BY", "CERTIFICATE", "PATH"});
  for (const Expiring& file : status.expiring | std::views::take(shown))
    table.add({expiry_text(file.not_after, now), few_of(file.sites, kFewSites), file.renewer,
               file.thumbprint.substr(0, 16), printable(file.path)});
  print(table.text() + more_line(status.expiring.size() - shown, "certrebind certificates"));
}

void print_status(const Status& status, size_t stores, const ListOptions& list, WallTime now) {
  print_line(status.enabled
                 ? coloured(Colour::green, "enabled") + ": renewals are rebound by themselves"
                 : coloured(Colour::yellow, "not enabled") + "; next: certrebind enable");
  print_daemon(status, now);
  print_line(status.surveyed
                 ? fmt::format("servers looked at: {} ({})", local_time_text(*status.surveyed),
                               ago_text(*status.surveyed, now))
                 : "servers looked at: never; next: certrebind check");
  print_line(fmt::format("{}, {}, {}, {}", count_of(stores, "store"),
                         count_of(services_of(status), "server"),
                         count_of(status.bound.size(), "binding"),
                         count_of(status.places.size(), "watched certificate")));
  print_expiring(status, list, now);
  if (!status.rebinds.empty()) print_line("last:");
  for (const TransactionRow& row : status.rebinds | std::views::take(kShown))
    print_line(fmt::format("  {}  {} {}  {}  {}", row.id, local_time_text(row.started),
                           to_text(row.act), outcome_text(row), row.service.text()));
  for (const Error& error : status.bad_tasks)
    print_line(coloured(Colour::red, "a task is left out: ") + error.message());
  if (status.attention.empty() && status.bad_tasks.empty()) print_line("nothing needs a person");
  for (const Attention& each : status.attention)
    print_sentence(
        coloured(Colour::red, "needs a person") + " since " + local_time_text(each.since), each);
}

Json expiring_json(const Status& status, WallTime now) {
  Json all = Json::array();
  for (const Expiring& file : status.expiring) {
    std::vector<std::string> sites;
    for (const std::string& site : file.sites) sites.push_back(printable(site));
    all.push_back({{"path", printable(file.path)},
                   {"thumbprint", file.thumbprint},
                   {"not_after", to_rfc3339(file.not_after)},
                   {"days_left", days_left(file.not_after, now)},
                   {"renewed_by", file.renewer},
                   {"sites", std::move(sites)}});
  }
  return all;
}

void print_status_json(const Status& status, WallTime now) {
  Json places = Json::array(), rebinds = Json::array();
  Json left_out = Json::array();
  for (const Place& place : status.places)
    places.push_back({{"path", printable(place.path)},
                      {"thumbprint", place.thumbprint},
                      {"not_after", to_rfc3339(place.not_after)},
                      {"days_left", days_left(place.not_after, now)}});
  for (const TransactionRow& row : status.rebinds | std::views::take(kShown))
    rebinds.push_back({{"id", row.id},
                       {"act", to_text(row.act)},
                       {"service", row.service.text()},
                       {"outcome", row.outcome ? to_text(*row.outcome) : "interrupted"},
                       {"proof_owed", row.owed},
                       {"started", to_rfc3339(row.started)}});
  for (const Error& error : status.bad_tasks) left_out.push_back(error.message());
  if (status.daemon_since) print_json({{"daemon_since", to_rfc3339(*status.daemon_since)}});
  if (status.surveyed) print_json({{"surveyed", to_rfc3339(*status.surveyed)}});
  print_json({{"enabled", status.enabled},
              {"daemon", status.running},
              {"services", services_of(status)},
              {"bindings", status.bound.size()},
              {"certificates", std::move(places)},
              {"expires_next", expiring_json(status, now)},
              {"last", std::move(rebinds)},
              {"tasks_left_out", std::move(left_out)},
              {"needs_person", to_json(status.attention)}});
}

// What is wanted of the files that expire.
void choose(const ListOptions& list, WallTime now, Status& status) {
  std::erase_if(status.expiring, [&](const Expiring& file) {
    const bool is_other =
        !list.site.empty() && std::ranges::find(file.sites, list.site) == file.sites.end();
    return is_other || !list.wants(file.not_after, now);
  });
}

int status(Context& context, const ListOptions& list) {
  auto looked = look_at_state(context);
  if (!looked) return report(looked.error());
  WallTime now = context.host().clock.wall();
  choose(list, now, *looked);
  if (context.json()) {
    print_status_json(*looked, now);
  } else {
    print_status(*looked, context.settings().stores.size(), list, now);
    print_windows(context.settings().policies, now);
  }
  bool is_well = looked->attention.empty() && looked->bad_tasks.empty();
  return is_well && looked->running == looked->enabled ? kDone : kDiffers;
}

}  // namespace

CommandSpec status_command() {
  auto list = std::make_shared<ListOptions>();
  return {.name = "status",
          .summary = "enabled or not, the daemon, what expires next, what needs a person",
          .options = {site_option(*list), expiring_option(*list),
                      limit_option(*list, "--limit,-n", "list only N certificates")},
          .footer =
              "--site and --expiring choose what is listed as expiring next.\n"
              "Exit code 1 if something needs a person, a task is left out, it is enabled and the\n"
              "daemon does not run, or the daemon runs and it is not enabled.\n"
              "Example:\n  certrebind status",
          .run = [list](Context& context) { return status(context, *list); },
          .takes_services = false,
          .pages = true};
}

}  // namespace certrebind
