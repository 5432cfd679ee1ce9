// Keeps proven pairs (store/kept.h), so that they can be restored.
#pragma once

#include <vector>

#include "acts/audit.h"
#include "plan/plan.h"
#include "store/kept.h"

namespace certrebind {

KeptPaths kept_paths_of(const Binding& binding);

// Says in `account` if a pair could not be kept.
void tell_if_not(const Done& kept, TransactionResult& account);

// Takes the survey and the handshakes (`looks` in the order of the survey). Keeps the pairs on disk
// that are served everywhere and have not expired.
Done keep_served(const Host& host, const Settings& settings, const Survey& survey,
                 const std::vector<std::vector<Look>>& looks);
Done keep_served(const Host& host, const Settings& settings,
                 const std::vector<AuditedBinding>& audited);

// Keeps the pairs of a plan that was carried out and proven.
Done keep_planned(const Host& host, const Settings& settings, const Plan& plan);

// Keeps the pairs that an undo or a restore put back and proved for this service; `thumbprints` in
// hex.
Done keep_put_back(const Host& host, const Settings& settings, const Survey& survey,
                   const ServiceId& service, const std::vector<std::string>& thumbprints);

}  // namespace certrebind
