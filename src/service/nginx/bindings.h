// From a configuration to bindings: which site uses which certificate, and where that can be seen.
#pragma once

#include "service/nginx/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// Gives a binding for each certificate of each server that shows it, in nginx's order, then the
// client certificates towards upstreams; and diagnostics: of reading first, then of meaning.
Discovery discover_bindings(Config config, Root& root);

// What nginx obeys: see Discovery::obeyed. Modules are named from its prefix (ngx_load_module).
std::vector<std::string> obeyed_by(const Config& config, const std::string& prefix,
                                   const Root& root);

}  // namespace certrebind::nginx
