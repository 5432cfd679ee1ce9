#include "service/haproxy/sni.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind::haproxy {

namespace {

// An unused label for probing a wildcard. If a certificate uses it, a number is appended.
constexpr std::string_view kProbeLabel = "certrebind-probe";
constexpr int kProbeLabels = 5;

// True if it can be sent as SNI: a host name that is not an address (RFC 6066 section 3).
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  bool only_digits = true;
  for (char c : name) {
    bool letter = (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '.') return false;
    only_digits = only_digits && !letter;
  }
  return !only_digits && !name.starts_with('.') && !name.ends_with('.');
}

}  // namespace

SniTable::SniTable(const std::vector<Candidate>& candidates) : candidates_(candidates) {
  exact_.reserve(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    for (const std::string& name : candidates[i].names) {
      if (name.starts_with("*.")) {
        wild_[name.substr(1)].push_back(i);
      } else {
        exact_[name].push_back(i);
      }
    }
    for (const std::string& name : candidates[i].excluded) excluded_[name].insert(i);
  }
  if (!wild_.empty()) find_shared_names();
}

void SniTable::find_shared_names() {
  std::unordered_set<KeyType> types;
  for (const Candidate& candidate : candidates_) types.insert(candidate.key_type);
  if (types.size() < 2) return;
  for (const auto& [name, uses] : exact_)
    for (KeyType type : types) {
      auto has_type = [&](size_t i) { return candidates_[i].key_type == type; };
      if (!is_host_name(name) || std::ranges::any_of(uses, has_type)) continue;
      if (auto answers = find(name, type)) shared_names_[*answers].push_back(name);
    }
}

std::optional<size_t> SniTable::find(std::string_view host, KeyType type) const {
  std::string name(host);
  auto fits = [&](size_t i) { return candidates_[i].key_type == type; };
  if (auto exact = exact_.find(name); exact != exact_.end())
    if (auto first = std::ranges::find_if(exact->second, fits); first != exact->second.end())
      return *first;
  size_t dot = name.find('.');
  auto wild = dot == std::string::npos ? wild_.end() : wild_.find(name.substr(dot));
  if (wild == wild_.end()) return std::nullopt;
  auto excluded = excluded_.find(name);
  for (size_t i : wild->second)
    if (fits(i) && (excluded == excluded_.end() || !excluded->second.contains(i))) return i;
  return std::nullopt;
}

std::vector<std::string> probe_names(const std::vector<Candidate>& candidates, size_t index,
                                     const SniTable& table) {
  std::vector<std::string> probes;
  KeyType type = candidates[index].key_type;
  for (const std::string& name : candidates[index].names) {
    if (!name.starts_with("*.")) {
      if (is_host_name(name) && table.find(name, type) == index) probes.push_back(name);
      continue;
    }
    for (int attempt = 0; attempt < kProbeLabels; ++attempt) {
      std::string label(kProbeLabel);
      if (attempt > 0) label += std::to_string(attempt);
      std::string host = label + name.substr(1);
      if (!is_host_name(host) || table.find(host, type) != index) continue;
      probes.push_back(std::move(host));
      break;
    }
  }
  if (auto shared = table.shared_names().find(index); shared != table.shared_names().end())
    probes.insert(probes.end(), shared->second.begin(), shared->second.end());
  std::ranges::sort(probes);
  probes.erase(std::ranges::unique(probes).begin(), probes.end());
  return probes;
}

}  // namespace certrebind::haproxy
