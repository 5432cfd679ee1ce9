#include "service/nginx/reach.h"

#include <fmt/format.h>

namespace certrebind::nginx {

namespace {

std::set<std::pair<std::string, uint16_t>> specific_addresses(const std::vector<Group>& groups) {
  std::set<std::pair<std::string, uint16_t>> specific;
  for (const Group& group : groups)
    if (!group.listen.udp && !group.listen.wildcard())
      specific.emplace(group.listen.host, group.listen.port);
  return specific;
}

}  // namespace

Reaches::Reaches(const std::vector<Group>& groups, const Root& root)
    : root_(root), loopback_(specific_addresses(groups)) {}

std::vector<Reach> Reaches::of(const Listen& listen) const {
  if (listen.family == Family::unix_socket) {
    bool abstract = listen.unix_path.starts_with('@');
    std::string path = abstract ? listen.unix_path : root_.on_host(listen.unix_path);
    return {{Address{"", 0, path}, ""}};
  }
  if (listen.family == Family::unresolved)
    return {{Address{listen.host, listen.port, ""},
             fmt::format("nginx resolved the host name {} when it started; it is not in /etc/hosts",
                         listen.host)}};
  if (!listen.wildcard()) return {{Address{listen.host, listen.port, ""}, ""}};
  if (listen.family == Family::ipv4) return {loopback_.ipv4(listen.port)};
  if (listen.ipv6only) return {loopback_.ipv6(listen.port)};
  return {loopback_.ipv6(listen.port), loopback_.ipv4(listen.port)};
}

}  // namespace certrebind::nginx
