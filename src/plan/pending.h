// Pending successions: what differs between configured, on disk and served, and what a renewer has
// made anew elsewhere. State decides; no event is needed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lifecycle/attention.h"
#include "observe/observation.h"
#include "plan/prepare.h"
#include "survey/policy.h"

namespace certrebind {

// What a server sees otherwise, a sentence each.
using Doubts = std::map<const Service*, std::string>;

struct Pending {
  bool in_doubt = false;             // a server is left as it is: see Doubts
  std::vector<RequestedPair> pairs;  // each with how it is known
  std::vector<Attention> undecided;  // what only a person can decide
  std::vector<std::string> held;     // what waits for its window, or is left alone: a sentence each
  std::vector<const SurveyedBinding*> left_out;  // … and the bindings that this is about
};

// Takes what was surveyed and what its bindings serve (`looks` in the survey's order, as
// look_at_all gives). A succession is taken, strongest first, because it was declared; because a
// path that held OLD holds NEW; because exactly one certificate with its key has the same names,
// the same kind of key and a later end.
//
// Never taken: what lies unchanged at another binding of the same server as the OLD of this one; a
// certificate of anywhere else for a binding whose renewer is known; a certificate of the same
// names that is bound elsewhere, or while OLD is what its own renewer has. Servers that see
// something else in their configuration than was read (`doubts`, as hear_doubts gives them) are
// left as they are.
Pending find_pending(const Host& host, const Settings& settings, const Survey& survey,
                     const std::vector<std::vector<Look>>& looks, const History& history,
                     const Doubts& doubts = {});

// Asks the servers that tell what they see, and begins `tests` for that. Costs as much as their own test of the configuration.
Doubts hear_doubts(const Host& host, const Survey& survey, ConfigTests& tests);

}  // namespace certrebind
