#include "observe/history.h"

#include <ranges>

#include "observe/shadowed_in_memory.h"
#include "sys/changed_at.h"
#include "transaction/server_start_times.h"

namespace certrebind {

namespace {

class NotLoaded {
 public:
  NotLoaded(const Host& host, const History& history)
      : host_(host), history_(history), times_(host) {}

  std::optional<Thumbprint> of(const SurveyedBinding& bound) {
    if (!bound.disk || !bound.disk->certificate || !bound.service->reload().signal) return {};
    if (!expectations_of(bound.binding, {}, KeyType::other, {}, KeyType::other).empty()) return {};
    auto old_one = predecessor(bound);
    if (!old_one || !is_behind(bound)) return {};
    return old_one;
  }

 private:
  // The last other certificate that was seen at the same path.
  std::optional<Thumbprint> predecessor(const SurveyedBinding& bound) const {
    for (const Sighting& seen : history_.sightings | std::views::reverse)
      if (seen.path == bound.binding.certificate.path && !bound.holds(seen.thumbprint))
        return seen.thumbprint;
    return {};
  }

  bool is_behind(const SurveyedBinding& bound) {
    const std::string& path = bound.binding.certificate.path;
    auto changed = changed_at(host_.files, path);
    auto since = times_.since(*bound.service);
    if (!changed || !since || *changed <= *since) return false;
    auto real = host_.files.real_path(path);
    if (!real || history_.journal == nullptr) return true;
    auto loaded = history_.journal->loaded_since(bound.service->id(), *real, *changed);
    return !loaded || !*loaded;
  }

  const Host& host_;
  const History& history_;
  ServerStartTimes times_;
};

}  // namespace

Result<History> read_history(Database& database, Journal& journal) {
  auto sightings = remembered(database);
  if (!sightings) return pass(sightings);
  auto successions = known_successions(database);
  if (!successions) return pass(successions);
  return History{std::move(*sightings), std::move(*successions), &journal};
}

void mark_not_loaded(const Host& host, const History& history, Survey& survey) {
  NotLoaded not_loaded(host, history);
  for (SurveyedBinding& bound : survey.bindings) bound.not_loaded = not_loaded.of(bound);
}

Result<Survey> as_loaded(Result<Survey> surveyed, const Host& host, Asker& asker,
                         const History& history) {
  if (!surveyed) return surveyed;
  put_back_shown(asker, *surveyed);
  mark_not_loaded(host, history, *surveyed);
  return surveyed;
}

}  // namespace certrebind
