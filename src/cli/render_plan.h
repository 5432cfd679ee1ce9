// A plan for people and programs: diffs, steps, findings.
#pragma once

#include "acts/rebind.h"
#include "cli/output.h"

namespace certrebind {

void print_prepared(const Prepared& prepared);
// What of the successions is bound nowhere.
void print_idle(const Prepared& prepared);
Json to_json(const Prepared& prepared);

// What `rebind` says of a plan: which bindings, and the findings.
void print_headlines(const Plan& plan);
void print_findings(const Plan& plan);

}  // namespace certrebind
