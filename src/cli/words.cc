// What the shells offer behind a command: names that are in the database already. It is quick: it
// surveys nothing, connects to nothing and writes nothing.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/task_commands.h"
#include "lifecycle/events.h"
#include "store/bound.h"
#include "store/own.h"
#include "store/requests.h"
#include "store/sightings.h"

namespace certrebind {

namespace {

using Words = std::vector<std::string>;

constexpr size_t kMost = 200;  // of what grows without end, the newest

Words sites_in(Database& database) {
  std::set<std::string> sites;
  if (auto rows = bound_rows(database))
    for (const BoundRow& row : *rows) {
      sites.insert(row.site);
      sites.insert(row.names.begin(), row.names.end());
    }
  return {sites.begin(), sites.end()};
}

Words thumbprints_in(Database& database) {
  Words thumbprints;
  if (auto seen = remembered(database))
    for (const Sighting& each : *seen | std::views::reverse | std::views::take(kMost))
      if (std::ranges::find(thumbprints, each.thumbprint.brief()) == thumbprints.end())
        thumbprints.push_back(each.thumbprint.brief());
  return thumbprints;
}

Words events_in(Database& database) {
  Words records;
  if (auto events = events_after(database, 0))
    for (const Event& event : *events | std::views::reverse | std::views::take(kMost))
      records.push_back(std::to_string(event.record));
  return records;
}

Words transactions_in(Database& database, const Clock& clock) {
  Words ids;
  if (auto rows = Journal(database, clock).all())
    for (const TransactionRow& row : *rows | std::views::reverse | std::views::take(kMost))
      ids.push_back(std::to_string(row.id));
  return ids;
}

Words tasks_of(Context& context) {
  Words names;
  for (const Task& task : load_tasks(context).tasks) names.push_back(task.name);
  return names;
}

Words own_names(Context& context) {
  Words names;
  for (const OwnCertificate& own :
       own_certificates(context.host().files, context.settings().certificates_directory()))
    names.push_back(own.name);
  return names;
}

Words request_names(Context& context) {
  Words names;
  for (const OpenRequest& request :
       open_requests(context.host().files, context.settings().requests_directory()))
    names.push_back(request.name);
  return names;
}

Words words_of(Context& context, const std::string& kind) {
  if (kind == "tasks") return tasks_of(context);
  if (kind == "own") return own_names(context);
  if (kind == "requests") return request_names(context);
  auto state = State::open_for_reading(context.settings());
  if (!state) return {};
  if (kind == "sites") return sites_in(state->database());
  if (kind == "thumbprints") return thumbprints_in(state->database());
  if (kind == "events") return events_in(state->database());
  return transactions_in(state->database(), context.host().clock);
}

// A name that is not one line of plain characters is never offered: a shell would take it apart.
int offer_words(Context& context, const std::string& kind) {
  Words words = words_of(context, kind);
  std::erase_if(words, [](const std::string& word) {
    return word.empty() || word.starts_with('-') || printable(word) != word;
  });
  print_json({{"words", words}});
  if (!context.json())
    for (const std::string& word : words) print_whole(word + "\n");
  return kDone;
}

std::string check_kind(const std::string& typed) {
  const Words kinds = {"sites", "thumbprints", "events",  "transactions",
                       "tasks", "own",         "requests"};
  return std::ranges::find(kinds, typed) != kinds.end() ? "" : "it is none of " + join(kinds, ", ");
}

}  // namespace

CommandSpec words_command() {
  auto kind = std::make_shared<std::string>();
  return {.name = "words",
          .summary = "words that a shell offers, one a line",
          .options = {{"kind", kind.get(),
                       "sites, thumbprints, events, transactions, tasks, own or requests", "KIND",
                       Need::required, check_kind}},
          .footer = "Example:\n  certrebind words sites",
          .run = [kind](Context& context) { return offer_words(context, *kind); },
          .takes_services = false,
          .hidden = true};
}

}  // namespace certrebind
