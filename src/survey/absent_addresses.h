// Endpoints at addresses that this machine does not have now: a standby's failover address. A
// handshake with one fails, or reaches the machine that has it, and tells nothing of this server.
#pragma once

#include "survey/survey.h"

namespace certrebind {

// Marks such endpoints as unproven. Of a server that does not run nothing is known.
void mark_absent_addresses(Survey& survey);

}  // namespace certrebind
