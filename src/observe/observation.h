// What handshakes show for every binding.
#pragma once

#include <functional>
#include <vector>

#include "probe/handshake.h"
#include "proof/expectation.h"
#include "survey/survey.h"

namespace certrebind {

// One handshake and its result.
struct Look {
  Expectation asked;
  Result<Served> served;
};

// Called after each handshake, by one thread at a time.
using LookProgress = std::function<void(size_t done, size_t total)>;

// Returns the handshakes of each binding, in the order of the survey. A binding has none if it has
// no reachable endpoint, or if a policy leaves it alone.
std::vector<std::vector<Look>> look_at_all(const Prober& prober, const Survey& survey,
                                           const LookProgress& progress);

}  // namespace certrebind
