// Where to connect to reach a listener: a wildcard has no address of its own, and a more specific
// listener on the same port takes connections away from it.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/nginx/root.h"
#include "service/nginx/routing.h"
#include "service/service.h"

namespace certrebind::nginx {

struct Reach {
  Address address;
  std::string unproven;  // why nothing reaches it
};

class Reaches {
 public:
  Reaches(const std::vector<Group>& groups, const Root& root);

  // One address for each family that the listener answers on. A wildcard is given as an address of
  // loopback that no listener names; all of 127.0.0.0/8 reaches an IPv4 wildcard.
  std::vector<Reach> of(const Listen& listen) const;

 private:
  Reach ipv4_wildcard(uint16_t port) const;
  Reach ipv6_wildcard(uint16_t port) const;

  const Root& root_;
  std::set<std::pair<std::string, uint16_t>> specific_;
};

}  // namespace certrebind::nginx
