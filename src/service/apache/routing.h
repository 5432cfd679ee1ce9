// Which virtual host httpd chooses for which name, on every address with TLS.
#pragma once

#include <string>
#include <vector>

#include "service/apache/hosts.h"
#include "sys/network.h"

namespace certrebind::apache {

// One address that is served by the same hosts.
struct Group {
  std::string listens;  // as the listener writes it: "*:443"
  Address address;      // to connect to
  std::string unproven;
  std::vector<uint32_t> hosts;  // indexes, in httpd's order; the first is the default
  bool proxy_protocol = false;
};

// The names that select one host's certificate at one address.
struct Route {
  uint32_t group = 0;
  std::vector<std::string> probe_names;
  bool without_sni = false;
  bool never_chosen = false;  // earlier hosts have all of its names
};

struct Routing {
  std::vector<Group> groups;               // those with TLS
  std::vector<std::vector<Route>> routes;  // per host
  // Per host: names of hosts without their own TLS for which this host's certificate is shown.
  std::vector<std::vector<std::string>> lodgers;
};

Routing route(const Hosts& hosts);

}  // namespace certrebind::apache
