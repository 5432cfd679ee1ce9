// The addresses on which httpd listens, and those of a virtual host (ap_set_listener,
// ap_parse_vhost_addrs).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/host_names.h"

namespace certrebind::apache {

enum class Family { any, ipv4, ipv6, unresolved };

// An address and a port, of a listener or of a virtual host.
struct Socket {
  Family family = Family::any;  // any: all addresses of both families
  std::string host;             // canonical, without brackets; empty for all addresses of a family
  uint16_t port = 0;            // 0: every port (virtual hosts only)

  bool wildcard() const { return host.empty(); }
  // httpd keeps one list of wildcard hosts, whether "*", "0.0.0.0" or "[::]" is written.
  Socket in_one_list() const { return wildcard() ? Socket{Family::any, "", port} : *this; }
  // "*:443", "[::1]:443", "192.0.2.1:*"
  std::string text() const;
  auto operator<=>(const Socket&) const = default;
};

struct Addresses {
  std::vector<Socket> all;  // several for a name with several addresses
  std::string problem;      // not empty if the text is not understood
};

// "443", "192.0.2.1:443", "[::]:443", or a name in /etc/hosts.
Addresses parse_listen(std::string_view text, HostNames& hosts);

// "*", "*:443", "_default_:443", "[::1]:*", "192.0.2.1". `default_port` applies to an address
// without a port; "*" alone means every port.
Addresses parse_host_address(std::string_view text, uint16_t default_port, HostNames& hosts);

}  // namespace certrebind::apache
