// Which certificate of a listener HAProxy 2.6 shows for a name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "x509/certificate.h"

namespace certrebind::haproxy {

// One certificate of a listener.
struct Candidate {
  std::vector<std::string> names;     // lower case: from its filters, otherwise its own
  std::vector<std::string> excluded;  // filters with "!"
  KeyType key_type = KeyType::other;
};

class SniTable {
 public:
  explicit SniTable(const std::vector<Candidate>& candidates);

  // The candidate for a host name when the client offers only signatures of `type`. Exact names
  // take precedence over wildcards, which match one label. Among several of one type the first
  // loaded wins. An excluded name affects only the candidate's own wildcards.
  std::optional<size_t> find(std::string_view host, KeyType type) const;

  // By candidate: the exact names of others for which it answers, by a wildcard, with its own key
  // type. A client that takes both types may be shown either certificate.
  const std::unordered_map<size_t, std::vector<std::string>>& shared_names() const {
    return shared_names_;
  }

 private:
  void find_shared_names();

  const std::vector<Candidate>& candidates_;
  std::unordered_map<std::string, std::vector<size_t>> exact_;
  std::unordered_map<std::string, std::vector<size_t>> wild_;  // by the part after the "*"
  std::unordered_map<std::string, std::unordered_set<size_t>> excluded_;
  std::unordered_map<size_t, std::vector<std::string>> shared_names_;
};

// The names to send so that HAProxy shows the candidate: those of its own names that select it,
// with an invented label for a wildcard, and those that it shares.
std::vector<std::string> probe_names(const std::vector<Candidate>& candidates, size_t index,
                                     const SniTable& table);

}  // namespace certrebind::haproxy
