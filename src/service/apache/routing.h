// Who answers: on every address with TLS, which virtual host httpd chooses for which name.
#pragma once

#include <string>
#include <vector>

#include "service/apache/hosts.h"
#include "sys/network.h"

namespace certrebind::apache {

// One address at which the same hosts answer.
struct Group {
  std::string listens;  // as the listener says: "*:443"
  Address address;      // where to connect
  std::string unproven;
  std::vector<uint32_t> hosts;  // indexes, in httpd's order; the first is the default
  bool proxy_protocol = false;
};

// What leads to one host's certificate at one address.
struct Route {
  uint32_t group = 0;
  std::vector<std::string> probe_names;
  bool without_sni = false;
};

struct Routing {
  std::vector<Group> groups;               // those with TLS
  std::vector<std::vector<Route>> routes;  // of each host
  // Of each host: names of others without TLS of their own, for which its certificate is shown.
  std::vector<std::vector<std::string>> lodgers;
};

Routing route(const Hosts& hosts);

}  // namespace certrebind::apache
