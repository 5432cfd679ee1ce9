// Which server nginx chooses for which name, on every address with TLS.
#pragma once

#include <string>
#include <vector>

#include "service/nginx/servers.h"

namespace certrebind::nginx {

// All servers on one address. Options of a `listen` apply to all of them (ngx_http_add_addresses
// ORs them).
struct Group {
  Listen listen;
  bool stream = false;
  bool tls = false;
  std::vector<uint32_t> servers;  // indexes, in nginx's order
  uint32_t default_server = 0;
};

// The names that select one server's certificate on one address.
struct Route {
  uint32_t group = 0;
  std::vector<std::string> probe_names;  // SNI that nginx maps to the server
  bool without_sni = false;
  std::string unproven;       // why no handshake can show it
  bool never_chosen = false;  // earlier servers have all of its names
};

struct Routing {
  std::vector<Group> groups;
  std::vector<std::vector<Route>> routes;  // per server: its addresses with TLS
  // Per server: additional names for which its certificate is shown. A server without a certificate
  // uses the default server's (nginx keeps the default's SSL_CTX).
  std::vector<std::vector<std::string>> lodgers;
  std::vector<Diagnostic> diagnostics;
};

Routing route(const std::vector<Server>& servers);

}  // namespace certrebind::nginx
