#include "lifecycle/events.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/event_filter.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "cli/since.h"
#include "survey/identify.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

constexpr milliseconds kFollowEvery(500);

struct EventsOptions {
  ListOptions list;
  std::string certificate;
  std::string level;
  std::string since;
  bool follow = false;
};

Json to_json(const Event& event) {
  std::vector<std::string> names;
  for (const std::string& name : event.names) names.push_back(printable(name));
  Json json = {{"record", event.record},      {"id", static_cast<int>(event.id)},
               {"event", to_text(event.id)},  {"level", to_text(level_of(event.id))},
               {"at", to_rfc3339(event.at)},  {"service", event.service},
               {"old", event.old_thumbprint}, {"new", event.new_thumbprint},
               {"names", std::move(names)},   {"message", printable(event.message)}};
  if (event.transaction) json["transaction"] = *event.transaction;
  Json details = Json::parse(event.details, nullptr, false);
  if (details.is_object()) json["details"] = std::move(details);
  return json;
}

void print_event(const Event& event) {
  print_line(fmt::format("{:>6}  {}  {}  {:22}  {}", event.record, local_time_text(event.at),
                         static_cast<int>(event.id), to_text(event.id), printable(event.message)));
}

// The certificate's thumbprint, or its first digits.
Result<std::string> thumbprint_meant(const Files& files, const std::string& typed) {
  if (typed.empty()) return "";
  if (is_path(typed)) {
    auto bundle = read_bundle(files, absolute(typed));
    if (!bundle) return pass(bundle);
    return bundle->leaf.outline.thumbprint.hex();
  }
  auto thumbprint = TypedThumbprint::parse(typed);
  if (!thumbprint) return pass(thumbprint);
  return thumbprint->digits();
}

Result<EventFilter> filter_of(Context& context, const EventsOptions& options) {
  EventFilter filter{.site = options.list.site, .services = context.only()};
  auto thumbprint = thumbprint_meant(context.host().files, options.certificate);
  if (!thumbprint) return pass(thumbprint);
  filter.thumbprint = std::move(*thumbprint);
  if (!options.level.empty()) filter.least = event_level_named(options.level).value();
  if (options.since.empty()) return filter;
  auto since = parse_since(options.since, context.host().clock.wall());
  if (!since) return pass(since);
  filter.since = *since;
  return filter;
}

// The events after `record` that pass, oldest first; advances `record`.
Result<std::vector<Event>> news(Context& context, const EventFilter& filter, int64_t& record) {
  auto state = State::open_for_reading(context.settings());
  if (!state && state.error().code == Code::not_found) return std::vector<Event>();
  if (!state) return pass(state);
  auto events = events_after(state->database(), record);
  if (!events || events->empty()) return events;
  record = events->back().record;
  std::erase_if(*events, [&](const Event& event) { return !passes(filter, event); });
  return events;
}

// Until standard output is gone, or a signal ends the program.
int follow(Context& context, const EventFilter& filter, int64_t record, std::vector<Event> first) {
  show_kept();  // no pager: this has no end
  Result<std::vector<Event>> events = std::move(first);
  while (events) {
    for (const Event& event : *events)
      context.json() ? print_json_line(to_json(event)) : print_event(event);
    std::fflush(stdout);
    if (std::ferror(stdout)) return kDone;
    context.host().clock.sleep(kFollowEvery);
    events = news(context, filter, record);
  }
  return report(events.error());
}

int events(Context& context, const EventsOptions& options) {
  auto filter = filter_of(context, options);
  if (!filter) return report(filter.error());
  int64_t record = 0;
  auto events = news(context, *filter, record);
  if (!events) return report(events.error());
  const size_t all = events->size(), shown = options.list.shown_of(all);
  events->erase(events->begin(), events->begin() + static_cast<ptrdiff_t>(all - shown));
  if (options.follow) return follow(context, *filter, record, std::move(*events));
  if (context.json()) {
    Json list = Json::array();
    for (const Event& event : *events) list.push_back(to_json(event));
    print_json({{"events", std::move(list)}, {"left_out", all - shown}});
    return kDone;
  }
  if (all > shown)
    print_line(fmt::format("{} earlier; all of them: certrebind events", all - shown));
  for (const Event& event : *events) print_event(event);
  if (all == 0) print_line(record == 0 ? "no event was logged yet" : "no event fits");
  return kDone;
}

std::string check_level(const std::string& typed) {
  return event_level_named(typed) ? "" : "'" + typed + "' is not error, warning or information";
}

}  // namespace

CommandSpec events_command() {
  auto options = std::make_shared<EventsOptions>();
  return {.name = "events",
          .summary = "the lifecycle log",
          .options = {{"--follow,-f", &options->follow, "go on until interrupted"},
                      {"--certificate", &options->certificate,
                       "only of this certificate: a thumbprint, a prefix of one, or a PEM file",
                       "THUMBPRINT|FILE"},
                      site_option(options->list),
                      {"--level", &options->level,
                       "only of this level and worse: error, warning or information", "LEVEL",
                       Need::optional, check_level},
                      {"--since", &options->since,
                       "only from then on: 2h or 3d ago, a date, or RFC 3339", "TIME"},
                      limit_option(options->list, "--limit,--last,-n",
                                   "only the newest N, and with --follow what comes after them")},
          .footer =
              "With --follow and --json, one JSON object a line: certrebind-json(5).\n"
              "certrebind-events(5) lists the events.\n"
              "Example:\n  certrebind events --level warning --since 3d",
          .run = [options](Context& context) { return events(context, *options); },
          .pages = true};
}

}  // namespace certrebind
