// Where httpd listens, and which addresses a virtual host is for (ap_set_listener,
// ap_parse_vhost_addrs).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/host_names.h"

namespace certrebind::apache {

enum class Family { any, ipv4, ipv6, unresolved };

// An address and a port: of a listener, or that a virtual host is for.
struct Socket {
  Family family = Family::any;  // any: all addresses of both kinds
  std::string host;             // canonical, without brackets; empty for all of a family
  uint16_t port = 0;            // 0: every port (of a virtual host only)

  bool wildcard() const { return host.empty(); }
  // httpd keeps one list of hosts for all addresses, whether "*", "0.0.0.0" or "[::]" is written.
  Socket in_one_list() const { return wildcard() ? Socket{Family::any, "", port} : *this; }
  // "*:443", "[::1]:443", "192.0.2.1:*"
  std::string text() const;
  auto operator<=>(const Socket&) const = default;
};

struct Addresses {
  std::vector<Socket> all;  // several for a name of many addresses
  std::string problem;      // not empty where it is not understood
};

// "443", "192.0.2.1:443", "[::]:443", a name of /etc/hosts.
Addresses parse_listen(std::string_view text, HostNames& hosts);

// "*", "*:443", "_default_:443", "[::1]:*", "192.0.2.1". `default_port` is for an address without
// one; "*" alone is for every port.
Addresses parse_host_address(std::string_view text, uint16_t default_port, HostNames& hosts);

}  // namespace certrebind::apache
