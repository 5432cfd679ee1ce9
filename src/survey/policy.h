// Matches the policies of certrebind.toml to bindings.
#pragma once

#include "state/settings.h"
#include "survey/survey.h"

namespace certrebind {

// The first policy that matches this binding; null if none does.
const Policy* policy_for(const Settings& settings, const SurveyedBinding& bound);

bool is_left_alone(const Settings& settings, const SurveyedBinding& bound);

// Sets `left_alone` on the bindings that a policy excludes. They get no handshake, and no plan may
// change them.
void leave_alone(const Settings& settings, Survey& survey);

// Whether a server that loads certificates at its start only may be restarted. For a whole service
// the first policy counts that names no site and no certificate.
struct RestartPermit {
  bool is_given = false;     // by the policy, within its window
  std::string not_now = {};  // why it does not hold now; empty: it does
};
// What a person can do about a restart that is not permitted.
inline constexpr const char* kRestartIt =
    "restart it yourself, or see allow_restart in certrebind.toml(5)";
RestartPermit restart_permit(const Settings& settings, const ServiceId& service, WallTime now);

// Where a restart is permitted now, and a reload would not load new files for some binding, the
// server is restarted instead of reloaded.
void prefer_restarts(const Settings& settings, Survey& survey, WallTime now);

}  // namespace certrebind
