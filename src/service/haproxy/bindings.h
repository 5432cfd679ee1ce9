// Derives bindings from a configuration: which listener shows which certificate, and on which
// endpoints.
#pragma once

#include "service/haproxy/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::haproxy {

// Returns a binding for each certificate on each `bind` line with TLS, in HAProxy's order, then the
// client certificates for servers.
Discovery discover_bindings(Config config, const Started& started, Root& root);

}  // namespace certrebind::haproxy
