// Every TCP address that HAProxy binds, with TLS or without.
#pragma once

#include <vector>

#include "service/haproxy/config.h"

namespace certrebind::haproxy {

// Of `bind` and `stats socket` lines, as parse_addresses (globals.h) takes them. Left out: what
// depends on a condition that is not known, and what is bound elsewhere or otherwise than another
// program could (`namespace`, `interface`, `transparent`).
std::vector<ListenAddress> listen_addresses(const Config& config);

}  // namespace certrebind::haproxy
