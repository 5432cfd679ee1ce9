#include "service/nginx/reach.h"

#include <fmt/format.h>

namespace certrebind::nginx {

Reaches::Reaches(const std::vector<Group>& groups, const Root& root) : root_(root) {
  for (const Group& group : groups)
    if (!group.listen.udp && !group.listen.wildcard())
      specific_.emplace(group.listen.host, group.listen.port);
}

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
  if (listen.family == Family::ipv4) return {ipv4_wildcard(listen.port)};
  if (listen.ipv6only) return {ipv6_wildcard(listen.port)};
  return {ipv6_wildcard(listen.port), ipv4_wildcard(listen.port)};
}

Reach Reaches::ipv4_wildcard(uint16_t port) const {
  for (int last = 1; last < 255; ++last) {
    std::string host = fmt::format("127.0.0.{}", last);
    if (!specific_.contains({host, port})) return {Address{host, port, ""}, ""};
  }
  return {Address{"127.0.0.1", port, ""}, "every loopback address has a listener of its own"};
}

Reach Reaches::ipv6_wildcard(uint16_t port) const {
  Reach reach{Address{"::1", port, ""}, ""};
  if (specific_.contains({"::1", port}))
    reach.unproven = fmt::format("another listener answers on [::1]:{}", port);
  return reach;
}

}  // namespace certrebind::nginx
