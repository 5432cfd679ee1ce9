// Derives bindings from a configuration: which site uses which certificate, and which endpoints
// show it.
#pragma once

#include "service/nginx/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// Returns a binding for each certificate of each server that shows it, in nginx's order, then the
// client certificates for upstreams. Diagnostics: first those of reading, then those of
// interpreting.
Discovery discover_bindings(Config config, Root& root);

// The files that nginx obeys: see Discovery::obeyed. Module paths are relative to its prefix
// (ngx_load_module).
std::vector<std::string> error_logs(const Config& config, const std::string& prefix,
                                    const Root& root);
std::vector<std::string> obeyed_by(const Config& config, const std::string& prefix,
                                   const Root& root);

}  // namespace certrebind::nginx
