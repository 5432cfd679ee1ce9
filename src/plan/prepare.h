// From what was asked for, or found, to plans: looks, identifies OLD and NEW, plans. Writes
// nothing.
#pragma once

#include <string>
#include <vector>

#include "observe/history.h"
#include "plan/planner.h"
#include "store/successions.h"
#include "transaction/config_tests.h"

namespace certrebind {

// OLD and NEW as typed: thumbprints, unique prefixes, or paths.
struct RequestedPair {
  std::string old_one;
  std::string new_one;
  std::string key_path = {};  // of NEW; empty: looked for
  How how = How::declared;    // how the succession is known
  std::string renewer = {};   // who renewed it, where that is known
  bool operator==(const RequestedPair&) const = default;
};

struct RebindRequest {
  std::vector<RequestedPair> pairs;
  Preference preference = Preference::automatic;
  std::vector<ServiceId> only;
  bool found = false;  // nobody typed the pairs: what contradicts itself is left out
};

// Everything a dry run shows. Plans point into the survey and the successions beside them.
struct Prepared {
  Survey survey;
  std::vector<Succession> successions;  // after following chains: A->B, B->C becomes A->C, B->C
  std::vector<Plan> plans;
  std::vector<std::string> idle;  // why a succession concerns no binding, a sentence each
  bool doubtful = false;  // some site shows OLD, and it is not known whether that is its own
  // Of servers that tell what they see.
  ConfigTests tests = {};

  // Waits for the servers that tell what they see, adds what they see otherwise to the diagnostics,
  // and lets go of their tests.
  void hear_doubts();

  std::vector<const Service*> servers_for(const Succession& succession) const;
  bool acts_on(const Succession& succession) const;  // it is planned for some binding
  bool refused() const;                              // some plan has a finding that refuses
  // A site may have been passed over: something is bound nowhere, and part of a configuration could
  // not be read; or a doubt remained.
  bool overlooked() const;
};

// Looks, identifies and plans; writes nothing.
Result<Prepared> prepare(const Host& host, const Settings& settings, const Prober& prober,
                         const History& history, const RebindRequest& request);
// The same in a survey that was made already, with the tests that were begun for it.
Result<Prepared> prepare(const Host& host, const Settings& settings, const Prober& prober,
                         const History& history, const RebindRequest& request, Survey surveyed,
                         ConfigTests tests);

}  // namespace certrebind
