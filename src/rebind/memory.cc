#include "rebind/memory.h"

#include <algorithm>
#include <map>
#include <ranges>

#include "rebind/plan.h"
#include "rebind/reloader.h"

namespace certrebind {

namespace {

WallTime at(int64_t nanoseconds) {
  return WallTime(std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(nanoseconds)));
}

// When what is read at the path last changed: the file itself, or the link that is named.
std::optional<WallTime> changed_at(const Files& files, const std::string& path) {
  auto link = files.lstat(path);
  auto file = files.stat(path);
  if (!link || !file) return std::nullopt;
  return at(std::max(link->changed_ns, file->changed_ns));
}

class NotLoaded {
 public:
  NotLoaded(const Host& host, const Memory& memory) : host_(host), memory_(memory) {}

  std::optional<Thumbprint> of(const SurveyedBinding& bound) {
    if (!bound.disk || !bound.disk->certificate || !bound.service->reload().signal) return {};
    if (!expectations_of(bound.binding, {}, KeyType::other, {}, KeyType::other).empty()) return {};
    auto old_one = predecessor(bound);
    if (!old_one || !is_behind(bound)) return {};
    return old_one;
  }

 private:
  // What was seen last at the same path.
  std::optional<Thumbprint> predecessor(const SurveyedBinding& bound) const {
    for (const Sighting& seen : memory_.sightings | std::views::reverse)
      if (seen.path == bound.binding.certificate.path && !bound.holds(seen.thumbprint))
        return seen.thumbprint;
    return {};
  }

  bool is_behind(const SurveyedBinding& bound) {
    const std::string& path = bound.binding.certificate.path;
    auto changed = changed_at(host_.files, path);
    auto since = serving_since(*bound.service);
    if (!changed || !since || *changed <= *since) return false;
    auto real = host_.files.real_path(path);
    if (!real || memory_.journal == nullptr) return true;
    auto loaded = memory_.journal->loaded_since(bound.service->id(), *real, *changed);
    return !loaded || !*loaded;
  }

  std::optional<WallTime> serving_since(const Service& service) {
    auto [entry, is_new] = since_.try_emplace(&service);
    if (is_new) entry->second = Reloader(&service, host_).serving_since();
    return entry->second;
  }

  const Host& host_;
  const Memory& memory_;
  std::map<const Service*, std::optional<WallTime>> since_;
};

}  // namespace

Result<Memory> recall(Database& database, Journal& journal) {
  auto sightings = remembered(database);
  if (!sightings) return pass(sightings);
  auto successions = known_successions(database);
  if (!successions) return pass(successions);
  return Memory{std::move(*sightings), std::move(*successions), &journal};
}

void mark_not_loaded(const Host& host, const Memory& memory, Survey& survey) {
  NotLoaded not_loaded(host, memory);
  for (SurveyedBinding& bound : survey.bindings) bound.not_loaded = not_loaded.of(bound);
}

}  // namespace certrebind
