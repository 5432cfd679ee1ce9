// Pending successions: what differs between configured, on disk and served, and what a renewer has
// made anew elsewhere. State decides; no event is needed.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/attention.h"
#include "rebind/audit.h"
#include "rebind/rebind.h"

namespace certrebind {

struct Pending {
  std::vector<RequestedPair> pairs;  // each with how it is known
  std::vector<Attention> undecided;  // what only a person can decide
  std::vector<std::string> held;     // what waits for its window, or is left alone: a sentence each
  std::vector<const SurveyedBinding*> left_out;  // … and the bindings that this is about
};

// The first policy that is about this binding; null where there is none.
const Policy* policy_for(const Settings& settings, const SurveyedBinding& bound);

bool is_left_alone(const Settings& settings, const SurveyedBinding& bound);

// Marks what a policy leaves alone: nothing is asked of it, and no plan may change it.
void leave_alone(const Settings& settings, Survey& survey);

// Takes what was surveyed and what its bindings serve (`looks` in the survey's order, as
// look_at_all gives). A succession is taken, strongest first, because it was declared; because a
// path that held OLD holds NEW; because exactly one certificate with its key has the same names,
// the same kind of key and a later end.
Pending find_pending(const Host& host, const Settings& settings, const Survey& survey,
                     const std::vector<std::vector<Look>>& looks, const Memory& memory);

}  // namespace certrebind
