// Which server nginx chooses for a name on one address: the exact name, then the longest "*.x",
// then the longest "x.*" (ngx_http_find_virtual_server, ngx_hash_find_combined). Regexes follow
// these, and the default server comes last; the table returns "nobody" for both.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace certrebind::nginx {

class NameTable {
 public:
  void reserve(size_t servers) { exact_.reserve(servers * 2); }

  // Adds a configured name, in lower case and not a regex, in nginx's order. False if nginx ignores
  // it as a "conflicting server name"; `holder` then names the server that has it. Conflicts are as
  // in ngx_hash_add_key: ".x" loses to an earlier "x" as a whole, subdomains included. It also
  // blocks "x" for later servers, even if it lost itself. The name's bytes must outlive the table.
  bool add(std::string_view name, uint32_t server);

  // The server for a lower-case host name.
  std::optional<uint32_t> find(std::string_view host) const;

 private:
  static constexpr uint32_t kNobody = UINT32_MAX;
  struct Head {
    uint32_t server = kNobody;
    bool itself = false;  // ".x": matches x too
  };

  bool add_head(std::string_view suffix, uint32_t server, bool itself);
  std::optional<uint32_t> find_head(std::string_view host) const;
  std::optional<uint32_t> find_tail(std::string_view host) const;

  std::unordered_map<std::string_view, uint32_t>
      exact_;  // kNobody: the name is taken, but selects no server
  std::unordered_map<std::string_view, Head> heads_;      // by the part after "*." or "."
  std::unordered_map<std::string_view, uint32_t> tails_;  // by the part before ".*"
};

}  // namespace certrebind::nginx
