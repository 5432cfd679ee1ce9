// Which httpd run here, and with which configuration.
#pragma once

#include <string>
#include <vector>

#include "service/apache/apache.h"
#include "service/service.h"
#include "sys/processes.h"

namespace certrebind::apache {

// Gives an instance for every running master, by pid. What runs but cannot be handled from here is
// named in `diagnostics`. Fails only if the process table cannot be read.
Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a main configuration file on this host, as typed. Gives the running instance that uses it,
// else one that does not run, with the first httpd found in the usual places and the environment
// and options that the system would start it with. Code::not_found where there is no such file or
// no httpd.
Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::apache
