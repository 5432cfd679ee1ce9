// Who answers: for every address with TLS, which server nginx chooses for which name.
#pragma once

#include <string>
#include <vector>

#include "service/nginx/servers.h"

namespace certrebind::nginx {

// All servers on one address. Options of a `listen` hold for everybody on it
// (ngx_http_add_addresses ors them).
struct Group {
  Listen listen;
  bool stream = false;
  bool tls = false;
  std::vector<uint32_t> servers;  // indexes, in nginx's order
  uint32_t default_server = 0;
};

// What leads to one server's certificate on one address.
struct Route {
  uint32_t group = 0;
  std::vector<std::string> probe_names;  // SNI that nginx resolves to it
  bool without_sni = false;
  std::string unproven;  // why no handshake shows it
};

struct Routing {
  std::vector<Group> groups;
  std::vector<std::vector<Route>> routes;  // of each server: its addresses with TLS
  // Of each server: further names for which its certificate is shown. A server without a
  // certificate serves the default server's (nginx keeps the default's SSL_CTX).
  std::vector<std::vector<std::string>> lodgers;
  std::vector<Diagnostic> diagnostics;
};

Routing route(const std::vector<Server>& servers);

}  // namespace certrebind::nginx
