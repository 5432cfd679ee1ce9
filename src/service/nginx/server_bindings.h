// The bindings of the certificates that servers show.
#pragma once

#include <string>
#include <vector>

#include "service/nginx/servers.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// Takes the servers and the directory that relative paths begin at.
Discovery server_bindings(const Servers& servers, const std::string& directory, const Root& root);

}  // namespace certrebind::nginx
