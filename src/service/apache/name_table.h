// Which host of an address httpd chooses for a name: the first in the configuration whose name or
// alias matches, wildcards included (ssl_find_vhost).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace certrebind::apache {

class NameTable {
 public:
  // Adds lower-case names, host by host in the configuration's order. The bytes must outlive the
  // table.
  void add(std::string_view name, uint32_t position);

  // The position of the chosen host; unset if the default host is chosen.
  std::optional<uint32_t> find(std::string_view name) const;

 private:
  struct Pattern {
    std::string_view text;
    uint32_t position;
  };
  std::unordered_map<std::string_view, uint32_t> exact_;
  std::unordered_map<std::string_view, uint32_t> suffixes_;  // for "*.x": by "x"
  std::vector<Pattern> patterns_;                            // all others, in order
};

// "*" matches any bytes, "?" one byte (ap_strcasecmp_match).
bool matches_pattern(std::string_view pattern, std::string_view name);

}  // namespace certrebind::apache
