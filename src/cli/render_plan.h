// A plan for people and programs: diffs, steps, findings.
#pragma once

#include "cli/output.h"
#include "rebind/rebind.h"

namespace certrebind {

void print_prepared(const Prepared& prepared);
Json to_json(const Prepared& prepared);

// The findings alone, as `rebind` shows them before it acts.
void print_findings(const Plan& plan);

}  // namespace certrebind
