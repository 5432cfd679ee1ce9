// Turns a request, or what `--pending` found, into plans: surveys, identifies OLD and NEW, and
// plans. Writes nothing.
#pragma once

#include <string>
#include <vector>

#include "observe/asker.h"
#include "observe/history.h"
#include "plan/planner.h"
#include "store/successions.h"
#include "transaction/config_tests.h"

namespace certrebind {

// OLD and NEW as typed: thumbprints, unique prefixes, or paths.
struct RequestedPair {
  std::string old_one;
  std::string new_one;
  std::string key_path = {};  // key of NEW; empty: to be found
  How how = How::declared;    // how the succession is known
  std::string renewer = {};   // who renewed it, if known
  Risks accepted = {};        // by the person who declared it
  bool operator==(const RequestedPair&) const = default;
};

struct RebindRequest {
  std::vector<RequestedPair> pairs;
  Preference preference = Preference::automatic;
  std::vector<ServiceId> only;
  bool found = false;  // no person typed the pairs: contradictory ones are left out
};

// Everything that a dry run shows. The plans contain pointers into `survey` and `successions`.
struct Prepared {
  Survey survey;
  std::vector<Succession> successions;  // after following chains: A->B, B->C becomes A->C, B->C
  std::vector<Plan> plans;
  std::vector<std::string> idle;  // why a succession concerns no binding, one sentence each
  bool exchanged = false;         // NEW is served already and OLD expires later
  bool doubtful = false;          // a site shows OLD, but another site may have answered
  // Tests of the servers that can tell what they see.
  ConfigTests tests = {};

  // Waits for the servers that can tell what they see, adds their differences to the diagnostics,
  // and drops their tests.
  void hear_doubts();

  std::vector<const Service*> servers_for(const Succession& succession) const;
  bool acts_on(const Succession& succession) const;  // some binding is planned for it
  bool refused() const;                              // a plan has a finding that refuses
  // A site may have been missed: a certificate is bound nowhere while part of a configuration could
  // not be read, or a doubt remained.
  bool overlooked() const;
};

// Surveys, identifies and plans; writes nothing.
Result<Prepared> prepare(const Host& host, const Settings& settings, Asker& asker,
                         const History& history, const RebindRequest& request);
// The same with an existing survey, and the tests that were started for it.
Result<Prepared> prepare(const Host& host, const Settings& settings, Asker& asker,
                         const History& history, const RebindRequest& request, Survey surveyed,
                         ConfigTests tests);

}  // namespace certrebind
