// Who supervises a daemon: systemd, where it runs (sd_notify(3), sd_journal_send(3)).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace certrebind {

// "READY=1", "STATUS=…", "WATCHDOG=1", "STOPPING=1". Nothing happens where nobody listens.
void tell_supervisor(const std::string& state);

// How often the supervisor wants WATCHDOG=1 at the least; nothing if it does not.
std::optional<milliseconds> watchdog_interval();

// One entry for the journal, with its fields, where standard error goes there; else the message as
// a line on standard error.
void log_entry(const std::string& message,
               const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace certrebind
