// Makes plans: what a rebind would do to each server. A dry run and a real run use the same code.
#pragma once

#include <map>
#include <vector>

#include "observe/stale_in_memory.h"
#include "plan/plan.h"
#include "state/settings.h"
#include "store/sightings.h"

namespace certrebind {

// A certificate that a handshake showed for a binding whose file already holds NEW.
struct ShownLeaf {
  Thumbprint thumbprint;
  size_t chain_length = 0;              // includes the leaf
  std::vector<std::string> above = {};  // DER of the certificates after the leaf
};
using ServedNow = std::map<const SurveyedBinding*, std::vector<ShownLeaf>>;

struct PlanContext {
  const Files& files;
  const Settings& settings;
  const Survey& survey;
  const std::vector<Sighting>& sightings;
  const ServedNow& served;
  const StaleLeaves& only_served;
  Preference preference = Preference::automatic;
  WallTime now;

  // True if the server still has OLD in memory for the binding, whose file holds another one.
  bool is_only_served(const SurveyedBinding& bound, const Thumbprint& old_one) const;
};

// The bindings whose file already holds a NEW. Only a handshake tells whether they need a reload.
std::vector<const SurveyedBinding*> needs_look(const Survey& survey,
                                               const std::vector<Succession>& successions);

// Makes one plan for each service that one of the successions concerns, in the order of the survey.
// If a succession is refused for a service, the plan keeps its findings but not its bindings; the
// rest of the plan stands.
std::vector<Plan> make_plans(const PlanContext& context,
                             const std::vector<Succession>& successions);

}  // namespace certrebind
