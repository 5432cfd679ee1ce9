// The certificates of a listener as HAProxy chooses among them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "service/haproxy/listeners.h"
#include "service/haproxy/sni.h"

namespace certrebind::haproxy {

// Reads every certificate once, several in parallel. Takes what was read already.
Looks look_at_all(Listeners& listeners, const Files& files);

// One for each use, in the same order.
std::vector<Candidate> candidates_of(const Listener& listener, const Looks& looks);

// Those that HAProxy shows to a client whose name selects none: the first of each key type.
std::set<size_t> defaults_of(const Listener& listener, const std::vector<Candidate>& candidates);

// True if some listener would show another certificate after those of these names (Pem::name) were
// replaced over the control socket: HAProxy then looks at a replaced one after all others for the
// same name. A reload keeps the order of the configuration.
bool would_lose_their_place(const Listeners& listeners, const Looks& looks,
                            const std::set<std::string>& replaced);

}  // namespace certrebind::haproxy
