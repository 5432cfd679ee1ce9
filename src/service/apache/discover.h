// Finds the running httpd instances and their configurations.
#pragma once

#include <string>
#include <vector>

#include "service/apache/apache.h"
#include "service/service.h"
#include "sys/processes.h"

namespace certrebind::apache {

// Returns an instance for every running master, by pid. Names in `diagnostics` those that cannot be
// managed. Fails only if the process table cannot be read.
Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a main configuration file on this host, as typed. Returns the running instance that uses
// it. Otherwise returns one that does not run, with the first httpd in the usual paths and the
// environment and options with which the system would start it. Code::not_found if the file or
// httpd does not exist.
Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::apache
