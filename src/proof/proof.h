// Proof by handshakes: asks what each endpoint serves, and polls until it serves the wanted
// certificate.
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

// What a handshake must show. With `unwanted` set, any third certificate is tolerated as long as
// the wanted one is seen too: after a restore, we are not responsible for what a foreign process on
// the port shows.
struct Claim {
  Target target;
  Thumbprint wanted;
  std::optional<Thumbprint> as_good = {};  // accepted like the wanted one
  std::optional<Thumbprint> unwanted;
  std::vector<Thumbprint> above = {};  // intermediates that must come with the wanted one
  std::string text = {};
};

// Claims that everything shows NEW, or that everything shows OLD again. Endpoints that did not
// answer before are left out: we do not repair what was down.
std::vector<Claim> claims_for_new(std::span<const Expectation> expectations);
std::vector<Claim> claims_for_old(std::span<const Expectation> expectations);

struct Verdict {
  size_t proven = 0;
  size_t total = 0;
  std::vector<std::string> failures;  // one sentence for each unproven claim
  bool holds() const { return proven == total; }
};

struct ProofLimits {
  milliseconds deadline{};      // for the whole proof
  milliseconds poll_every{};    // between polls while the server loads
  std::function<bool()> ready;  // if set, answers count only once it returns true
  std::function<bool()> gone;   // true: the server can no longer succeed, so stop waiting
  std::function<void(size_t proven, size_t total)> progress;
};

// Requires several fresh handshakes in a row for every claim, and at least twenty in a row on every
// listener. Otherwise an old worker that still accepts, or a foreign process that shares the port,
// could be missed by chance. If answers contradict each other, the next row must be twice as long,
// up to 160. A claim needs one handshake if its listener has more than a hundred claims, because
// they confirm each other. It needs three if there are more than a hundred listeners.
Verdict prove(const Prober& prober, Clock& clock, std::span<const Claim> claims,
              const ProofLimits& limits);

}  // namespace certrebind
