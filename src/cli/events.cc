#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "lifecycle/events.h"

namespace certrebind {

namespace {

constexpr milliseconds kFollowEvery(500);

struct EventsOptions {
  bool follow = false;
  size_t last = 0;  // maximum number of existing events to print; 0: all
};

Json to_json(const Event& event) {
  std::vector<std::string> names;
  for (const std::string& name : event.names) names.push_back(printable(name));
  Json json = {{"record", event.record},
               {"id", static_cast<int>(event.id)},
               {"event", to_text(event.id)},
               {"at", to_rfc3339(event.at)},
               {"service", event.service},
               {"old", event.old_thumbprint},
               {"new", event.new_thumbprint},
               {"names", std::move(names)},
               {"message", printable(event.message)}};
  if (event.transaction) json["transaction"] = *event.transaction;
  Json details = Json::parse(event.details, nullptr, false);
  if (details.is_object()) json["details"] = std::move(details);
  return json;
}

// One line per event, so that JSON can be followed too.
void print_event(const Event& event, bool json) {
  if (json)
    print_line(to_json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    print_line(fmt::format("{:>6}  {}  {}  {:22}  {}", event.record, to_text(event.at),
                           static_cast<int>(event.id), to_text(event.id),
                           printable(event.message)));
}

int events(Context& context, const EventsOptions& options) {
  int64_t last = 0;
  size_t most = options.last;
  while (true) {
    auto state = State::open_for_reading(context.settings());
    if (!state && state.error().code != Code::not_found) return report(state.error());
    if (state) {
      auto found = events_after(state->database(), last);
      if (!found) return report(found.error());
      size_t skipped = most > 0 && found->size() > most ? found->size() - most : 0;
      for (const Event& event : *found | std::views::drop(skipped))
        print_event(event, context.json());
      most = 0;  // later events are all new
      if (!found->empty()) last = found->back().record;
    }
    if (!options.follow) break;
    std::fflush(stdout);
    if (std::ferror(stdout)) break;
    context.host().clock.sleep(kFollowEvery);
  }
  if (last == 0 && !context.json() && !options.follow) print_line("no event was logged yet");
  return kDone;
}

std::string at_least_one(const std::string& typed) {
  bool counts = typed.find_first_not_of("0123456789") == std::string::npos &&
                typed.find_first_not_of('0') != std::string::npos;
  return counts ? "" : "'" + typed + "' is not a number of 1 or more";
}

}  // namespace

CommandSpec events_command() {
  auto options = std::make_shared<EventsOptions>();
  return {
      .name = "events",
      .summary = "the lifecycle log",
      .options = {{"--follow,-f", &options->follow, "go on until interrupted"},
                  {"--last,-n", &options->last, "only the last N, and what follows them", "N",
                   Need::optional, at_least_one}},
      .footer =
          "With --json, one JSON object a line.\nExample:\n  certrebind events --last 20 --follow",
      .run = [options](Context& context) { return events(context, *options); },
      .takes_services = false};
}

}  // namespace certrebind
