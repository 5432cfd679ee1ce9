// All TCP addresses that HAProxy binds, with or without TLS.
#pragma once

#include <vector>

#include "service/haproxy/config.h"

namespace certrebind::haproxy {

// Addresses of `bind` and `stats socket` lines and of the local peer, as parse_addresses
// (globals.h) returns them. Excludes lines under unknown conditions, and addresses that another
// program could not bind in the same way (`namespace`, `interface`, `transparent`).
std::vector<ListenAddress> listen_addresses(const Config& config);

}  // namespace certrebind::haproxy
