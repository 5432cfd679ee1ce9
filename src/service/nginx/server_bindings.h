// The bindings of the certificates that servers present.
#pragma once

#include <string>
#include <vector>

#include "service/nginx/servers.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// Takes the servers and the base directory of relative paths.
Discovery server_bindings(const Servers& servers, const std::string& directory, const Root& root);

}  // namespace certrebind::nginx
