#include "survey/policy.h"

#include <algorithm>

namespace certrebind {

const Policy* policy_for(const Settings& settings, const SurveyedBinding& bound) {
  auto found = std::ranges::find_if(settings.policies, [&](const Policy& policy) {
    return fits(policy.service, bound.service->id().text()) &&
           fits(policy.site, bound.binding.site) &&
           fits(policy.certificate, bound.binding.certificate.path);
  });
  return found == settings.policies.end() ? nullptr : &*found;
}

bool is_left_alone(const Settings& settings, const SurveyedBinding& bound) {
  const Policy* policy = policy_for(settings, bound);
  return policy && policy->automatic == Policy::Automatic::no;
}

void leave_alone(const Settings& settings, Survey& survey) {
  for (SurveyedBinding& bound : survey.bindings) bound.left_alone = is_left_alone(settings, bound);
  for (SurveyedBinding& bound : survey.shadowed) bound.left_alone = is_left_alone(settings, bound);
}

}  // namespace certrebind
