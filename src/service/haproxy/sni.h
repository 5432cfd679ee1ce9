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

// One certificate as it stands on a listener.
struct Candidate {
  std::vector<std::string> names;     // lower case: of its filters, else its own
  std::vector<std::string> excluded;  // filters with "!"
  KeyType key_type = KeyType::other;
};

class SniTable {
 public:
  explicit SniTable(const std::vector<Candidate>& candidates);

  // The candidate for a host name when only signatures of `type` are offered. Exact names go before
  // wildcards, which stand for one label; of several of one type the first loaded wins. An excluded
  // name takes a candidate's own wildcards away from it, no others.
  std::optional<size_t> find(std::string_view host, KeyType type) const;

 private:
  const std::vector<Candidate>& candidates_;
  std::unordered_map<std::string, std::vector<size_t>> exact_;
  std::unordered_map<std::string, std::vector<size_t>> wild_;  // by what follows the "*"
  std::unordered_map<std::string, std::unordered_set<size_t>> excluded_;
};

// The names to send so that the candidate is shown: those of its own that lead to it, with a
// made-up label for a wildcard.
std::vector<std::string> probe_names(const std::vector<Candidate>& candidates, size_t index,
                                     const SniTable& table);

}  // namespace certrebind::haproxy
