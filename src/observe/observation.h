// What every binding is seen to serve.
#pragma once

#include <functional>
#include <vector>

#include "probe/handshake.h"
#include "proof/expectation.h"
#include "survey/survey.h"

namespace certrebind {

// One handshake that was made.
struct Look {
  Expectation asked;
  Result<Served> served;
};

// Told after each handshake, from one thread at a time.
using LookProgress = std::function<void(size_t done, size_t total)>;

// What the bindings serve, in the survey's order; a binding without reachable endpoints has no
// looks, nor has one that is left alone.
std::vector<std::vector<Look>> look_at_all(const Prober& prober, const Survey& survey,
                                           const LookProgress& progress);

}  // namespace certrebind
