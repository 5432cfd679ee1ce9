// The `listen` directive of http and stream servers (ngx_http_core_listen, ngx_stream_core_listen,
// ngx_parse_url).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "service/host_names.h"
#include "service/nginx/tree.h"

namespace certrebind::nginx {

enum class Family { ipv4, ipv6, unix_socket, unresolved };

// One address that a server listens on.
struct Listen {
  Family family = Family::ipv4;
  std::string text;       // "*:443", "[::]:443", "unix:/run/x": equal for equal addresses
  std::string host;       // canonical, without brackets; "" for a wildcard; a name if unresolved
  uint16_t port = 0;      // 0 for a UNIX socket
  std::string unix_path;  // inside the root

  bool ssl = false;
  bool proxy_protocol = false;
  bool default_server = false;
  bool udp = false;  // `quic` of http, `udp` of stream
  bool ipv6only = true;
  bool reuseport = false;

  bool wildcard() const { return host.empty() && family != Family::unix_socket; }
};

struct ListenAddresses {
  std::vector<Listen> addresses;  // several for a range of ports or a name of many addresses
  std::string problem;            // not empty where nginx would refuse the directive
};

// Reads the directive from its arguments, whose bytes must outlive it. A port alone and "*" mean
// all of IPv4; without a port http takes 80 and stream refuses. A name that /etc/hosts does not
// know stays Family::unresolved.
class ListenParser {
 public:
  explicit ListenParser(HostNames& hosts) : hosts_(hosts) {}
  ListenAddresses parse(std::span<const Word> arguments, bool stream);

 private:
  HostNames& hosts_;
  // Thousands of servers share a few addresses. By the address as written, apart for stream.
  std::unordered_map<std::string_view, ListenAddresses> known_[2];
};

// What nginx assumes for an http server without `listen`: "*:80", as root.
Listen default_listen();

}  // namespace certrebind::nginx
