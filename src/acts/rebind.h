// The parts around a rebind: logging and storing successions, and finishing what a crash
// interrupted. Plans are made in plan/prepare.h, carried out in batch.h, and undone in undo.h.
#pragma once

#include <vector>

#include "plan/prepare.h"
#include "transaction/transaction.h"

namespace certrebind {

// Logs the successions that a person declares, and the findings that refuse them.
Done log_declared(Database& database, const Prepared& prepared, WallTime now);
// Stores the successions that were found, and logs the new ones.
Done log_found(Database& database, const Prepared& prepared, WallTime now);
// Only logs them.
Done announce(Database& database, const Prepared& prepared, WallTime now);
// Stores the declared successions as standing orders for the daemon. A succession is left out if it
// was refused or failed at every server, or if it is bound nowhere. `accounts` are the results of
// carrying it out; empty if that is left to the daemon.
Done make_standing(Database& database, const Prepared& prepared,
                   const std::vector<TransactionResult>& accounts, WallTime now);

// Finishes every interrupted transaction. Call it first after taking the lock.
Result<std::vector<TransactionResult>> recover_all(const TransactionContext& context);

}  // namespace certrebind
