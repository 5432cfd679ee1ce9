// Which server nginx chooses for a name on one address: exact, then the longest "*.x", then the
// longest "x.*" (ngx_http_find_virtual_server, ngx_hash_find_combined). Regexes come after these
// and the default server last; both are "nobody" here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace certrebind::nginx {

class NameTable {
 public:
  void reserve(size_t servers) { exact_.reserve(servers * 2); }

  // Takes a name as configured, in lower case and not a regex, in nginx's order. False where nginx
  // ignores it as a "conflicting server name"; `holder` then says who has it. A conflict is what
  // ngx_hash_add_key makes of it: ".x" loses to an earlier "x" as a whole, subdomains included, and
  // keeps "x" from later servers even when it lost itself. The name's bytes must outlive the table.
  bool add(std::string_view name, uint32_t server);

  // The server of a host name in lower case.
  std::optional<uint32_t> find(std::string_view host) const;

 private:
  static constexpr uint32_t kNobody = UINT32_MAX;
  struct Head {
    uint32_t server = kNobody;
    bool itself = false;  // ".x": x too
  };

  bool add_head(std::string_view suffix, uint32_t server, bool itself);
  std::optional<uint32_t> find_head(std::string_view host) const;
  std::optional<uint32_t> find_tail(std::string_view host) const;

  std::unordered_map<std::string_view, uint32_t> exact_;  // kNobody: taken, but leading nowhere
  std::unordered_map<std::string_view, Head> heads_;      // by what follows "*." or "."
  std::unordered_map<std::string_view, uint32_t> tails_;  // by what precedes ".*"
};

}  // namespace certrebind::nginx
