// The bindings of the certificates that hosts show.
#pragma once

#include "service/apache/hosts.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

// Takes the hosts, the directory that relative paths begin at, and what mod_md looks after.
Discovery server_bindings(const Hosts& hosts, const Config& config, Root& root);

}  // namespace certrebind::apache
