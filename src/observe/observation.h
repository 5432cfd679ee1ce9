// What handshakes show for every binding.
#pragma once

#include <functional>
#include <vector>

#include "observe/asker.h"
#include "proof/expectation.h"
#include "survey/survey.h"

namespace certrebind {

// One handshake and its answer, which the asker keeps.
struct Look {
  Expectation asked;
  const Result<Served>& served;
};

// Called after each handshake, by one thread at a time.
using LookProgress = std::function<void(size_t done, size_t total)>;

// Returns the handshakes of each binding, in the order of the survey. A binding has none if it has
// no reachable endpoint, if a policy leaves it alone, or if it is not among the `chosen`.
std::vector<std::vector<Look>> look_at_all(Asker& asker, const Survey& survey,
                                           const LookProgress& progress,
                                           const ChosenBindings& chosen = {});

}  // namespace certrebind
