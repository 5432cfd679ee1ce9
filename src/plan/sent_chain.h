// The chain that a server sends with a certificate: before a plan and after it.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "plan/planner.h"

namespace certrebind {

// NEW with the chain that the server sends once the plan is carried out.
Bundle to_be_sent(const PlanContext& context, const PlannedBinding& planned);

// Clients that could build a chain from what is sent now must be able to build one from what will
// be sent.
void check_sent_chain(const PlanContext& context, const PlannedBinding& planned,
                      std::vector<Finding>& findings);

// True if the bound file holds NEW without the chain that NEW's own file has.
bool brings_chain(const PlanContext& context, const SurveyedBinding& bound,
                  const Succession& succession);

}  // namespace certrebind
