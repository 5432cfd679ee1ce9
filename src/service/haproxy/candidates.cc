#include "service/haproxy/candidates.h"

#include <algorithm>
#include <map>
#include <thread>

#include "base/parallel.h"

namespace certrebind::haproxy {

namespace {

Candidate candidate_of(const Use& use, const OnDisk& disk) {
  Candidate candidate;
  if (disk.certificate) candidate.key_type = disk.certificate->key_type;
  for (const std::string& filter : use.filters)
    if (filter.starts_with('!')) {
      candidate.excluded.push_back(filter.substr(1));
    } else {
      candidate.names.push_back(filter);
    }
  // If there is any filter, even only an exclusion, the certificate's own names do not count.
  if (!use.filters.empty() || !disk.certificate) return candidate;
  candidate.names = disk.certificate->names;
  const std::string& common_name = disk.certificate->common_name;
  if (!common_name.empty() &&
      std::ranges::find(candidate.names, common_name) == candidate.names.end())
    candidate.names.push_back(common_name);
  return candidate;
}

// For each name and key type, the uses that have it. The name "" is for default certificates.
using Rivals = std::map<std::pair<std::string, KeyType>, std::vector<size_t>>;

Rivals rivals_at(const Listener& listener, const std::vector<Candidate>& candidates) {
  Rivals rivals;
  for (size_t i = 0; i < candidates.size(); ++i) {
    for (const std::string& name : candidates[i].names)
      rivals[{name, candidates[i].key_type}].push_back(i);
    if (listener.uses[i].is_default) rivals[{"", candidates[i].key_type}].push_back(i);
  }
  return rivals;
}

}  // namespace

Looks look_at_all(Listeners& listeners, const Files& files) {
  Looks looks = std::move(listeners.looked_at);
  std::vector<std::pair<const std::string*, OnDisk*>> to_do;
  auto want = [&](const std::string& path) {
    auto [entry, is_new] = looks.try_emplace(path);
    if (!is_new) return;
    auto disk = std::make_shared<OnDisk>();
    to_do.emplace_back(&entry->first, disk.get());
    entry->second = std::move(disk);
  };
  for (const Listener& listener : listeners.all)
    for (const Use& use : listener.uses) want(use.pem.certificate);
  for (const ClientUse& client : listeners.clients) want(client.use.pem.certificate);
  for_each_index(to_do.size(), std::thread::hardware_concurrency(),
                 [&](size_t index) { *to_do[index].second = look_at(files, *to_do[index].first); });
  return looks;
}

std::vector<Candidate> candidates_of(const Listener& listener, const Looks& looks) {
  std::vector<Candidate> candidates;
  candidates.reserve(listener.uses.size());
  for (const Use& use : listener.uses)
    candidates.push_back(candidate_of(use, *looks.at(use.pem.certificate)));
  return candidates;
}

std::set<size_t> defaults_of(const Listener& listener, const std::vector<Candidate>& candidates) {
  std::set<size_t> defaults;
  std::set<KeyType> types;
  for (size_t i = 0; i < candidates.size() && !listener.options.strict_sni; ++i)
    if (listener.uses[i].is_default && types.insert(candidates[i].key_type).second)
      defaults.insert(i);
  return defaults;
}

bool would_lose_their_place(const Listeners& listeners, const Looks& looks,
                            const std::set<std::string>& replaced) {
  for (const Listener& listener : listeners.all) {
    auto name_of = [&](size_t i) -> const std::string& { return listener.uses[i].pem.name; };
    const bool concerned = std::ranges::any_of(
        listener.uses, [&](const Use& use) { return replaced.contains(use.pem.name); });
    if (!concerned) continue;
    for (const auto& [name, uses] : rivals_at(listener, candidates_of(listener, looks)))
      if (replaced.contains(name_of(uses.front())) &&
          std::ranges::any_of(uses, [&](size_t i) { return name_of(i) != name_of(uses.front()); }))
        return true;
  }
  return false;
}

}  // namespace certrebind::haproxy
