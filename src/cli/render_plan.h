// A plan for people and programs: diffs, steps, findings.
#pragma once

#include "acts/dry_run.h"
#include "acts/rebind.h"
#include "cli/output.h"

namespace certrebind {

void print_prepared(const Prepared& prepared);
// Prints the successions whose certificates no server uses.
void print_idle(const Prepared& prepared);
Json to_json(const Prepared& prepared);
// Tells the answer for programs why the plans cannot be carried out, if they cannot.
void note_refusal(const Prepared& prepared);

// Prints what the servers' own tests say of the plans.
void print_tests(const std::vector<DryTest>& tests);
Json to_json(const std::vector<DryTest>& tests);

// Prints the summary of a plan for `rebind`: the bindings and the findings.
void print_headlines(const Plan& plan);
void print_findings(const std::vector<Finding>& findings);
Json to_json(const std::vector<Finding>& findings);

}  // namespace certrebind
