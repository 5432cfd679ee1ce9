#include "survey/policy.h"

#include <algorithm>

#include "sys/day_time.h"

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

void prefer_restarts(const Settings& settings, Survey& survey, WallTime now) {
  for (const auto& service : survey.services.found) {
    auto needs_it = std::ranges::find_if(survey.bindings, [&](const SurveyedBinding& bound) {
      return bound.service == service.get() && !bound.binding.restart_only.empty();
    });
    if (needs_it == survey.bindings.end()) continue;
    if (restart_permit(settings, service->id(), now).not_now.empty())
      service->prefer_restart(needs_it->binding.restart_only);
  }
}

RestartPermit restart_permit(const Settings& settings, const ServiceId& service, WallTime now) {
  auto policy = std::ranges::find_if(settings.policies, [&](const Policy& each) {
    return fits(each.service, service.text()) && each.site == "*" && each.certificate == "*";
  });
  if (policy == settings.policies.end() || !policy->allow_restart)
    return {.not_now = "certrebind.toml does not allow to restart it"};
  auto window = parse_window(policy->window);
  if (!window || is_open(*window, now)) return {.is_given = true};
  return {.is_given = true,
          .not_now = "it is restarted only in its window: " + opening_text(*window, now)};
}

}  // namespace certrebind
