// The unit of a server process, and its restart, through systemctl(1).
#pragma once

#include <string>

#include "sys/processes.h"

namespace certrebind {

// The service whose main process this is. Code::not_found if it is none of systemd's: then nobody
// but a person knows how it was started.
Result<std::string> unit_of(Commands& commands, int pid);
// The main process of a unit; 0 if it does not run.
Result<int> main_process_of(Commands& commands, const std::string& unit);
// Stops and starts it. Success does not say that it goes on running.
Done restart_unit(Commands& commands, const std::string& unit);

}  // namespace certrebind
