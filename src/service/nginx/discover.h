// Finds the running nginx instances and their configurations.
#pragma once

#include <string>
#include <vector>

#include "service/nginx/nginx.h"
#include "service/service.h"
#include "sys/processes.h"

namespace certrebind::nginx {

// Returns an instance for every running master, by pid. Names in `diagnostics` those that cannot be
// managed: in a container or in single-process mode. If two masters share one configuration, as
// during an upgrade of the binary (USR2), returns the one that started last. Fails only if the
// process table cannot be read.
Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a main configuration file on this host, as typed. Returns the running instance that uses
// it, otherwise one that does not run, with the first nginx in the usual paths. Code::not_found if
// the file or nginx does not exist.
Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::nginx
