// Pending successions: differences between configured, on disk and served, and certificates that a
// renewer has issued elsewhere. They are found from the present state; no event is needed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lifecycle/attention.h"
#include "observe/observation.h"
#include "plan/prepare.h"
#include "survey/policy.h"

namespace certrebind {

// For each server that sees something other than the survey did: one sentence.
using Doubts = std::map<const Service*, std::string>;

struct Pending {
  bool in_doubt = false;             // something was left unchanged that a person must decide
  std::vector<RequestedPair> pairs;  // each says how the succession is known
  std::vector<Attention> undecided;  // what only a person can decide
  // What waits for its window, or is excluded by a policy: one sentence each.
  std::vector<std::string> held;
  std::vector<const SurveyedBinding*> left_out;  // the bindings that `held` and doubts are about
};

// Finds the pending successions. `looks` are the handshakes in the order of the survey, as
// look_at_all returns them. A succession is accepted for one of these reasons, strongest first: it
// was declared; a path that held OLD holds NEW; exactly one certificate with its key has the same
// names, the same key type and a later expiry.
//
// Never accepted: the unchanged certificate of another binding of the same server as the OLD of
// this one; a certificate from elsewhere for a binding whose renewer is known; a certificate of the
// same names that is bound elsewhere; or one while OLD is the current certificate of its own
// renewer. Servers that see something other than the survey did (`doubts`, from hear_doubts) are
// left unchanged. Only the `chosen` bindings are considered; the others are evidence.
Pending find_pending(const Host& host, const Settings& settings, const Survey& survey,
                     const std::vector<std::vector<Look>>& looks, const History& history,
                     const Doubts& doubts = {}, const ChosenBindings& chosen = {});

// Asks the servers that can tell what they see, and starts `tests` for that. This takes as long as
// their configuration tests.
Doubts hear_doubts(const Host& host, const Survey& survey, ConfigTests& tests);

}  // namespace certrebind
