// Finds the running HAProxy instances and their configurations.
#pragma once

#include <string>
#include <vector>

#include "service/haproxy/haproxy.h"
#include "sys/processes.h"

namespace certrebind::haproxy {

// Returns an instance for every running master, and for every process that runs without a master.
// Workers, and processes that only finish old connections after a reload, are not instances. Names
// in `diagnostics` those that cannot be managed. Fails only if the process table cannot be read.
Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a configuration file or directory on this host, as typed. Returns the running instance that
// was started with it, otherwise one that does not run. Code::not_found if the file or HAProxy does
// not exist.
Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::haproxy
