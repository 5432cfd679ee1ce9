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
  std::string host;       // canonical, without brackets; "" for a wildcard; a name if not resolved
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
  std::vector<Listen> addresses;  // several for a port range or a name with several addresses
  std::string problem;            // not empty if nginx would reject the directive
};

// Parses the directive's arguments, whose bytes must outlive the result. A port alone and "*" mean
// all of IPv4. Without a port, http uses 80 and stream rejects the directive. A name that is not in
// /etc/hosts stays Family::unresolved.
class ListenParser {
 public:
  explicit ListenParser(HostNames& hosts) : hosts_(hosts) {}
  ListenAddresses parse(std::span<const Word> arguments, bool stream);

 private:
  HostNames& hosts_;
  // A cache, because thousands of servers share a few addresses. By the address as written; stream
  // has its own.
  std::unordered_map<std::string_view, ListenAddresses> known_[2];
};

// The default of nginx for an http server without `listen`, as root: "*:80".
Listen default_listen();

}  // namespace certrebind::nginx
