// Taking back what a transaction replaced, as a transaction of its own.
#pragma once

#include <vector>

#include "service/registry.h"
#include "transaction/transaction.h"

namespace certrebind {

// Puts back what transaction `id` (0: the last committed rebind) replaced, and has the services
// follow that had loaded the same files: an account each, that of `id` first. It is a person's
// decision, and is not made again by itself.
Result<std::vector<TransactionResult>> undo(const TransactionContext& context,
                                            const std::vector<ServiceId>& only, int64_t id);

// The same within a run that failed elsewhere, which `failed` tells of: no decision of anybody.
// What became of it is added to the text of `failed` and to `accounts`.
void take_back(const TransactionContext& context, int64_t id, TransactionResult& failed,
               std::vector<TransactionResult>& accounts);

}  // namespace certrebind
