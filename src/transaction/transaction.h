// The transaction: it changes one set of files of one service, tests, reloads and proves once. If
// any of this fails, it restores everything.
//
//   planned -> staged -> swapping -> swapped -> tested -> reloading -> verifying -> committed
//                            \___________\________\__________\___________\-> restoring -> restored
//
// Everything that may fail is done before `swapping`, as far as possible. After a crash, the next
// process that holds the lock calls `recover`.
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

// Receives the progress, to show it to a person.
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
  bool taken_back = false;  // another server that shares its files failed in the same run
  std::string text;         // lines for people: what happened, what is served now, what to do next
};

// What to do to one service.
struct TransactionRequest : TransactionGoal {
  Act act = Act::rebind;
  const Service* service = nullptr;
  std::vector<PlannedFile> files = {};     // ordered by path
  std::vector<std::string> unproven = {};  // what no handshake can reach, with the reason
  std::optional<int64_t> undoes = {};
  std::vector<std::string> configured_by = {};  // from the survey; empty: not known
  std::vector<std::string> error_logs = {};     // from the survey
  // Why a reload would be an outage for other sites; a server with a control socket needs no
  // reload. `way_back` says what to do.
  std::string no_reload = {};
  std::string way_back = {};
  // The server's own test of the current files, if it was started already.
  TestOutcome tested = {};
};

// Carries out the request. Returns an Error only if not even the journal could be written; then
// nothing was touched.
Result<TransactionResult> carry_out(const TransactionContext& context, TransactionRequest work);

// The attention subject, shown by `status`, of a service whose last transaction needs an operator.
std::string stuck_subject(const ServiceId& service);

// Finishes an interrupted transaction: commits if the new certificate is served, else restores.
// `service` is null if the server's program or configuration is no longer found.
Result<TransactionResult> recover(const TransactionContext& context, const Service* service,
                                  TransactionRow row);

}  // namespace certrebind
