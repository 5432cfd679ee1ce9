// Makes plans: for each server what a rebind would do to it. The same code serves the dry run and
// the act.
#pragma once

#include <map>
#include <vector>

#include "plan/plan.h"
#include "state/settings.h"
#include "store/sightings.h"

namespace certrebind {

// What is served where disk and NEW agree already, as far as it was asked.
struct ShownLeaf {
  Thumbprint thumbprint;
  size_t chain_length = 0;              // the leaf included
  std::vector<std::string> above = {};  // DER of what came behind it
};
using ServedNow = std::map<const SurveyedBinding*, std::vector<ShownLeaf>>;

struct PlanContext {
  const Files& files;
  const Settings& settings;
  const Survey& survey;
  const std::vector<Sighting>& sightings;
  const ServedNow& served;
  Preference preference = Preference::automatic;
  WallTime now;
};

// Bindings whose file holds some NEW already: whether they are to be reloaded, only what they serve
// tells.
std::vector<const SurveyedBinding*> needs_look(const Survey& survey,
                                               const std::vector<Succession>& successions);

// One plan for each service that has to do with one of the successions, in the survey's order. A
// succession that is refused for a service is left out of its plan, with its findings; the rest of
// the plan stands.
std::vector<Plan> make_plans(const PlanContext& context,
                             const std::vector<Succession>& successions);

}  // namespace certrebind
