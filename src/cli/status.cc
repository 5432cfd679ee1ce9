#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "acts/check_report.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "lifecycle/attention.h"
#include "store/bound.h"
#include "store/watched_places.h"
#include "sys/day_time.h"

namespace certrebind {

namespace {

constexpr size_t kShown = 5;

struct Status {
  bool enabled = false;
  bool running = false;
  std::vector<Error> bad_tasks;
  std::vector<BoundRow> bound;
  std::vector<Place> places;  // the soonest expiry first
  std::vector<TransactionRow> rebinds;
  std::vector<Attention> attention;
};

// Replaces the result of the last survey by what `check` would report now, so that both agree.
Done judge_now(Context& context, Status& status) {
  // A running command changes the result all the time.
  if (State::is_taken(context.settings())) return {};
  TerminalWatcher watcher;
  auto report =
      make_report(context.looking(), context.history(), watcher.progress_of("handshakes"));
  if (!report) return pass(report);
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

void print_status(const Status& status, size_t stores, WallTime now) {
  print_line(status.enabled
                 ? coloured(Colour::green, "enabled") + ": renewals are rebound by themselves"
                 : coloured(Colour::yellow, "not enabled") + "; next: certrebind enable");
  print_line(status.running
                 ? "daemon: runs"
                 : coloured(status.enabled ? Colour::red : Colour::yellow, "daemon: does not run") +
                       "; next: systemctl start certrebind, or certrebind daemon");
  print_line(fmt::format("{}, {}, {}, {}", count_of(stores, "store"),
                         count_of(services_of(status), "server"),
                         count_of(status.bound.size(), "binding"),
                         count_of(status.places.size(), "watched certificate")));
  for (const Place& place : status.places | std::views::take(kShown))
    print_line(fmt::format("  {}  expires {}  {}", place.thumbprint.substr(0, 16),
                           expiry_text(place.not_after, now), printable(place.path)));
  if (status.places.size() > kShown)
    print_line(fmt::format("  and {} more, later: certrebind certificates",
                           status.places.size() - kShown));
  if (!status.rebinds.empty()) print_line("last:");
  for (const TransactionRow& row : status.rebinds | std::views::take(kShown))
    print_line(fmt::format("  {}  {} {}  {}  {}", row.id, to_text(row.started), to_text(row.act),
                           outcome_text(row), row.service.text()));
  for (const Error& error : status.bad_tasks)
    print_line(coloured(Colour::red, "a task is left out: ") + error.message());
  if (status.attention.empty() && status.bad_tasks.empty()) print_line("nothing needs a person");
  for (const Attention& each : status.attention) {
    print_line(coloured(Colour::red, "needs a person") +
               fmt::format(" since {}: {}", to_text(each.since), printable(each.sentence)));
    print_line("  next: " + printable(each.next));
  }
}

void print_status_json(const Status& status, WallTime now) {
  Json places = Json::array(), rebinds = Json::array();
  Json left_out = Json::array(), needed = Json::array();
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
  for (const Attention& each : status.attention)
    needed.push_back({{"subject", printable(each.subject)},
                      {"sentence", printable(each.sentence)},
                      {"next", printable(each.next)},
                      {"since", to_rfc3339(each.since)}});
  print_json({{"enabled", status.enabled},
              {"daemon", status.running},
              {"services", services_of(status)},
              {"bindings", status.bound.size()},
              {"certificates", std::move(places)},
              {"last", std::move(rebinds)},
              {"tasks_left_out", std::move(left_out)},
              {"needs_person", std::move(needed)}});
}

int status(Context& context) {
  auto looked = look_at_state(context);
  if (!looked) return report(looked.error());
  WallTime now = context.host().clock.wall();
  if (context.json()) {
    print_status_json(*looked, now);
  } else {
    print_status(*looked, context.settings().stores.size(), now);
    print_windows(context.settings().policies, now);
  }
  bool is_well = looked->attention.empty() && looked->bad_tasks.empty();
  return is_well && looked->running == looked->enabled ? kDone : kDiffers;
}

}  // namespace

CommandSpec status_command() {
  return {.name = "status",
          .summary = "enabled or not, the daemon, what expires next, what needs a person",
          .footer =
              "Exit code 1 if something needs a person, a task is left out, it is enabled and the\n"
              "daemon does not run, or the daemon runs and it is not enabled.\n"
              "Example:\n  certrebind status",
          .run = status,
          .takes_services = false};
}

}  // namespace certrebind
