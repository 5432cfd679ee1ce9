// Keeping what was proven (store/kept.h), so that it can be brought back.
#pragma once

#include <vector>

#include "acts/audit.h"
#include "plan/plan.h"

namespace certrebind {

// Takes what was surveyed and what every binding was seen to serve (`looks` in the survey's order):
// what lies on disk, is served everywhere and has not expired is kept.
Done keep_served(const Host& host, const Settings& settings, const Survey& survey,
                 const std::vector<std::vector<Look>>& looks);
Done keep_served(const Host& host, const Settings& settings,
                 const std::vector<AuditedBinding>& audited);

// Takes a plan that was carried out and proven.
Done keep_planned(const Host& host, const Settings& settings, const Plan& plan);

// Takes the thumbprints (hex) that an undo or a restore put back and proved for this service.
Done keep_put_back(const Host& host, const Settings& settings, const Survey& survey,
                   const ServiceId& service, const std::vector<std::string>& thumbprints);

}  // namespace certrebind
