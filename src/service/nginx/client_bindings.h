// The certificates that nginx presents to upstreams: proxy_ssl_certificate and similar directives.
#pragma once

#include <vector>

#include "service/nginx/config.h"
#include "service/nginx/servers.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// Returns a binding for each level (http, server, location, …) that sets a certificate or a key for
// upstreams, together with the inherited other one. Certificate and key are inherited separately
// (ngx_http_proxy_merge_loc_conf). An empty value ends the inheritance. Binding::site is the
// server's, with the location.
Discovery client_bindings(const Config& config, const std::vector<Server>& servers,
                          const Root& root);

}  // namespace certrebind::nginx
