// The bindings of the certificates that hosts present.
#pragma once

#include "service/apache/hosts.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

// Takes the hosts, the base directory of relative paths, and the certificates that mod_md manages.
Discovery server_bindings(const Hosts& hosts, const Config& config, Root& root);

}  // namespace certrebind::apache
