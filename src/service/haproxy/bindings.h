// From a configuration to bindings: which listener shows which certificate, and where that can be
// seen.
#pragma once

#include "service/haproxy/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::haproxy {

// Gives a binding for each certificate on each `bind` line with TLS, in HAProxy's order, then the
// client certificates towards servers.
Discovery discover_bindings(Config config, const Started& started, Root& root);

}  // namespace certrebind::haproxy
