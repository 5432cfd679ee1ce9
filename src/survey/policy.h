// Which policy of certrebind.toml is about which binding.
#pragma once

#include "state/settings.h"
#include "survey/survey.h"

namespace certrebind {

// The first policy that is about this binding; null where there is none.
const Policy* policy_for(const Settings& settings, const SurveyedBinding& bound);

bool is_left_alone(const Settings& settings, const SurveyedBinding& bound);

// Marks what a policy leaves alone: nothing is asked of it, and no plan may change it.
void leave_alone(const Settings& settings, Survey& survey);

}  // namespace certrebind
