// What a person accepted with `--accept` when a certificate was rebound is no problem of `check`.
#pragma once

#include <vector>

#include "acts/audit.h"
#include "observe/history.h"

namespace certrebind {

// Marks remarks on lost names (Risk::name_lost). The acceptance lasts over renewals, as long as no
// further name is lost.
void mark_accepted(const History& history, std::vector<AuditedBinding>& audited);

}  // namespace certrebind
