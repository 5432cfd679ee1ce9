#include "daemon/existing_successions.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "daemon/task_match.h"
#include "daemon/task_runs.h"
#include "store/sightings.h"
#include "store/successions.h"
#include "x509/certificate.h"

namespace certrebind {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostHops = 20;

// By OLD. If several certificates succeed one, the latest.
std::map<std::string, KnownSuccession> by_old_one(std::vector<KnownSuccession> known) {
  std::map<std::string, KnownSuccession> by_old;
  for (KnownSuccession& each : known)
    if (each.old_thumbprint != each.new_thumbprint) by_old[each.old_thumbprint] = std::move(each);
  return by_old;
}

// The last succession of the chain that begins with `first`; unset if the chain is too long or
// cyclic.
std::optional<KnownSuccession> end_of(const std::map<std::string, KnownSuccession>& by_old,
                                      const KnownSuccession& first) {
  KnownSuccession last = first;
  for (size_t hops = 1; hops <= kMostHops; ++hops) {
    auto next = by_old.find(last.new_thumbprint);
    if (next == by_old.end()) return last;
    last = next->second;
  }
  return std::nullopt;
}

using Ders = std::map<std::string, std::string>;  // by thumbprint

Result<Ders> known_certificates(Database& database) {
  auto seen = remembered(database);
  if (!seen) return pass(seen);
  Ders ders;
  for (Sighting& sighting : *seen) ders.emplace(sighting.thumbprint.hex(), std::move(sighting.der));
  return ders;
}

// The recorded data of the certificate.
Json describe(const Ders& ders, const std::string& thumbprint) {
  Json json = {{"thumbprint", thumbprint}};
  auto der = ders.find(thumbprint);
  auto outline = der != ders.end() ? outline_of(der->second)
                                   : Result<CertificateOutline>(fail(Code::not_found, "", "", ""));
  if (!outline) return json;
  json["sha1"] = sha1_thumbprint(der->second);
  json["subject"] = printable(outline->subject);
  json["issuer"] = printable(outline->issuer);
  json["names"] = Json::array();
  for (const std::string& name : outline->names) json["names"].push_back(printable(name));
  json["not_before"] = to_rfc3339(outline->not_before);
  json["not_after"] = to_rfc3339(outline->not_after);
  return json;
}

Event event_for(const Ders& ders, const std::string& old_thumbprint, const KnownSuccession& last,
                const std::string& task, WallTime now) {
  Json details = {{"old", describe(ders, old_thumbprint)},
                  {"new", describe(ders, last.new_thumbprint)},
                  {"how", to_text(last.how)},
                  {"renewer", last.renewer},
                  {"for_task", task}};
  if (!last.path.empty()) details["new"]["path"] = last.path;
  Event event{
      .record = 0,
      .id = EventId::replaced,
      .at = now,
      .transaction = {},
      .service = {},
      .old_thumbprint = old_thumbprint,
      .new_thumbprint = last.new_thumbprint,
      .names = {},
      .message = fmt::format("{} succeeds {}, found in the past for task {}",
                             last.new_thumbprint.substr(0, 16), old_thumbprint.substr(0, 16), task),
      .details = details.dump(-1, ' ', false, Json::error_handler_t::replace)};
  event.names = facts_of(event).names;
  return event;
}

}  // namespace

Result<ExistingRuns> enqueue_for_existing(Database& database, const Task& task, WallTime now) {
  auto ders = known_certificates(database);
  if (!ders) return pass(ders);
  auto known = known_successions(database);
  if (!known) return pass(known);
  const auto by_old = by_old_one(std::move(*known));
  ExistingRuns runs;
  Done done = database.atomically("queue runs for existing successions", [&] {
    for (const auto& [old_thumbprint, first] : by_old) {
      auto last = end_of(by_old, first);
      if (!last) {
        ++runs.too_long;
        continue;
      }
      Event event = event_for(*ders, old_thumbprint, *last, task.name, now);
      if (!is_of_interest(task, facts_of(event))) continue;
      int64_t record = append_event(database, event);
      enqueue_run(database, task, record, now);
      ++runs.queued;
    }
  });
  if (!done) return pass(done);
  return runs;
}

}  // namespace certrebind
