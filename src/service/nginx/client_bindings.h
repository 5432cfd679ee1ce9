// The certificates that nginx shows to upstreams: proxy_ssl_certificate and its like.
#pragma once

#include <vector>

#include "service/nginx/config.h"
#include "service/nginx/servers.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// Gives a binding for each level (http, server, location, …) that sets a certificate or a key for
// upstreams, with what it inherits of the other; certificate and key are inherited apart
// (ngx_http_proxy_merge_loc_conf). An empty value ends an inheritance. Binding::site is the
// server's, with the location.
Discovery client_bindings(const Config& config, const std::vector<Server>& servers,
                          const Root& root);

}  // namespace certrebind::nginx
