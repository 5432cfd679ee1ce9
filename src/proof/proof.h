// Proof by handshakes: what each endpoint shows now, and polling until it shows what is wanted.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/handshake.h"
#include "proof/expectation.h"
#include "sys/clock.h"

namespace certrebind {

// What a handshake must show. With `unwanted` set, a third certificate is tolerated as long as the
// wanted one is seen too: after a restore, what a stranger on the port shows is not our doing.
struct Claim {
  Target target;
  Thumbprint wanted;
  std::optional<Thumbprint> as_good = {};  // as the wanted one
  std::optional<Thumbprint> unwanted;
  std::vector<Thumbprint> above = {};  // intermediates that have to come with the wanted one
  std::string text = {};
};

// That everything shows NEW; that everything shows OLD again. Endpoints that do not answer
// are left out: what was down is not ours to bring up.
std::vector<Claim> claims_for_new(std::span<const Expectation> expectations);
std::vector<Claim> claims_for_old(std::span<const Expectation> expectations);

struct Verdict {
  size_t proven = 0;
  size_t total = 0;
  std::vector<std::string> failures;  // one sentence for each unproven claim, the first few
  bool holds() const { return proven == total; }
};

struct ProofLimits {
  milliseconds deadline{};      // for all of it
  milliseconds poll_every{};    // between looks while the server loads
  std::function<bool()> ready;  // unset, or: what is answered now counts
  std::function<bool()> gone;   // the server can no longer succeed: stop waiting
  std::function<void(size_t proven, size_t total)> progress;
};

// Several fresh handshakes in a row for every claim, and at least twenty in a row on every
// listener: an old worker that still accepts, or a stranger that shares the port, must not be
// missed by luck. Where answers contradict each other the next row has to be twice as long, up to
// 160. A claim needs one where its listener has more than a hundred (they bear witness
// for each other), and three where there are more than a hundred listeners.
Verdict prove(const Prober& prober, Clock& clock, std::span<const Claim> claims,
              const ProofLimits& limits);

}  // namespace certrebind
