// What surrounds a rebind: the successions that are logged and remembered, and finishing what a
// crash left. Plans are made in plan/prepare.h, carried out in batch.h, and taken back in undo.h.
#pragma once

#include <vector>

#include "plan/prepare.h"
#include "transaction/transaction.h"

namespace certrebind {

// Logs the successions that a person declares, and what was refused of them.
Done log_declared(Database& database, const Prepared& prepared, WallTime now);
// Remembers the successions that were found, and logs those that are new.
Done log_found(Database& database, const Prepared& prepared, WallTime now);
// Logs them only.
Done announce(Database& database, const Prepared& prepared, WallTime now);
// Makes what a person declared a standing order for the daemon, but for what was refused or came to
// nothing at each server, or is bound nowhere. `accounts` are of carrying it out, or none: that is
// left to the daemon.
Done make_standing(Database& database, const Prepared& prepared,
                   const std::vector<TransactionResult>& accounts, WallTime now);

// Finishes every interrupted transaction. To be called by whoever takes the lock, before anything
// else.
Result<std::vector<TransactionResult>> recover_all(const TransactionContext& context);

}  // namespace certrebind
