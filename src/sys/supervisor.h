// The supervisor of the daemon: systemd, if it runs (sd_notify(3), sd_journal_send(3)).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace certrebind {

// Sends "READY=1", "STATUS=…", "WATCHDOG=1" or "STOPPING=1". Does nothing without a supervisor.
void tell_supervisor(const std::string& state);

// The longest interval between two WATCHDOG=1 messages; unset if the supervisor wants none.
std::optional<milliseconds> watchdog_interval();

// Writes one journal entry with its fields if standard error goes to the journal. Otherwise writes
// the message as a line to standard error.
void log_entry(const std::string& message,
               const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace certrebind
