// Which HAProxy run here, and with which configuration.
#pragma once

#include <string>
#include <vector>

#include "service/haproxy/haproxy.h"
#include "sys/processes.h"

namespace certrebind::haproxy {

// Gives an instance for every running master, and for every process that runs without one; its
// workers and processes that only finish what a reload left to them are no instances. What cannot
// be handled from here is named in `diagnostics`. Fails only if the process table cannot be read.
Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a configuration file or directory on this host, as typed. Gives the running instance that
// was started with it, else one that does not run. Code::not_found where there is no such file or
// no HAProxy.
Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::haproxy
