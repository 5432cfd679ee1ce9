// The transaction: one service, one set of files, one test, one reload, one proof, or everything
// back.
//
//   planned -> staged -> swapping -> swapped -> tested -> reloading -> verifying -> committed
//                            \___________\________\__________\___________\-> restoring -> restored
//
// All that can fail is done before `swapping`. Whoever holds the lock after a crash calls
// `recover`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "proof/proof.h"
#include "state/settings.h"
#include "state/state.h"
#include "sys/host.h"
#include "transaction/config_tests.h"
#include "transaction/journal.h"
#include "transaction/planned_file.h"

namespace certrebind {

// What a person watching is told.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void phase(const ServiceId& service, Phase phase) = 0;
  virtual void proven(size_t proven, size_t total) = 0;
};

// What every act needs.
struct TransactionContext {
  Host host;
  const Settings& settings;
  State& state;
  Journal& journal;
  const Prober& prober;
  Watcher& watcher;
};

struct TransactionResult {
  int64_t transaction = 0;
  ServiceId service;
  Outcome outcome = Outcome::committed;
  bool owed = false;
  bool taken_back = false;  // in the same run: another server that shares its files did not follow
  std::string text;         // lines for people: what happened, what is served now, what to do next
};

// What to do to one service.
struct TransactionRequest {
  Act act = Act::rebind;
  const Service* service = nullptr;
  std::vector<PlannedFile> files;
  std::vector<JournalSuccession> successions;
  std::vector<Expectation> expectations;
  std::vector<std::string> unproven;
  std::optional<int64_t> undoes;
  // What is there may be broken: the server's test need not pass before, and endpoints that do not
  // answer now have to afterwards.
  bool mends = false;
  // A person takes away what is replaced: it is not to come again by itself.
  bool decided = false;
  std::vector<std::string> loads = {};          // what the server is to take up: real paths
  std::vector<std::string> configured_by = {};  // as surveyed; empty: not known
  // Why a reload would be an outage for others; a server that is told over a socket needs none. And
  // what to do.
  std::string no_reload = {};
  std::string way_back = {};
  // The other sites of this server: those that answer now have to answer after a reload.
  std::vector<Expectation> others = {};
  // Its own test of what is there, where that has begun already.
  TestOutcome tested = {};
};

// Carries it out. An Error only where not even the journal could be written; nothing was touched
// then.
Result<TransactionResult> carry_out(const TransactionContext& context, TransactionRequest work);

// What `status` lists a service under whose last transaction needs a person.
std::string stuck_subject(const ServiceId& service);

// Finishes an interrupted transaction: commits it if the new certificate is served, restores
// otherwise. `service` is null where the server's program or configuration is no longer found.
Result<TransactionResult> recover(const TransactionContext& context, const Service* service,
                                  TransactionRow row);

}  // namespace certrebind
