// What would keep the next rebind from working on this host. It judges nothing anew: it gathers
// what the audit, the survey, the renewers and the guards of our writes say.
#pragma once

#include <string>
#include <vector>

#include "acts/check_report.h"

namespace certrebind {

// Of servers, certificates and renewers. Bindings that a policy leaves alone are excluded.
// `autoenrolls`: certrebind itself starts the renewers that nothing else runs.
std::vector<Attention> ailments_of_servers(const Looking& at, const CheckReport& report,
                                           bool autoenrolls);

// Of a directory in which files will be made: read-only, or no space left.
std::vector<Attention> ailments_of_directory(const std::string& subject, const std::string& path);

}  // namespace certrebind
