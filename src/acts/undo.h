// Undoes a transaction, as a new transaction.
#pragma once

#include <vector>

#include "service/registry.h"
#include "transaction/transaction.h"

namespace certrebind {

// Restores the files that transaction `id` (0: the last committed rebind) replaced. Services that
// had loaded the same files follow. Returns one result each, that of `id` first. An undo is a
// person's decision: the daemon does not redo the change.
Result<std::vector<TransactionResult>> undo(const TransactionContext& context,
                                            const std::vector<ServiceId>& only, int64_t id);

// The same within a run in which `failed` failed. This is not a person's decision. The result is
// added to the text of `failed` and to `accounts`.
void take_back(const TransactionContext& context, int64_t id, TransactionResult& failed,
               std::vector<TransactionResult>& accounts);

}  // namespace certrebind
