// Which nginx run here, and with which configuration.
#pragma once

#include <string>
#include <vector>

#include "service/nginx/nginx.h"
#include "service/service.h"
#include "sys/processes.h"

namespace certrebind::nginx {

// Gives an instance for every running master, by pid. What runs but cannot be handled from here, in
// a container or in single-process mode, is named in `diagnostics`. Of two masters with one
// configuration, as during an upgrade of the binary (USR2), the one that started last is given.
// Fails only if the process table cannot be read.
Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a main configuration file on this host, as typed. Gives the running instance that uses it,
// else one that does not run, with the first nginx found in the usual places. Code::not_found where
// there is no such file or no nginx.
Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::nginx
