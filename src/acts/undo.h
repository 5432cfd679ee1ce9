// Taking back what a transaction replaced, as a transaction of its own.
#pragma once

#include <vector>

#include "service/registry.h"
#include "transaction/transaction.h"

namespace certrebind {

// Puts back what transaction `id` (0: the last committed rebind) replaced, and has the services
// follow that had loaded the same files: an account each, that of `id` first. It is a person's
// decision, and is not made again by itself.
Result<std::vector<Account>> undo(const Bench& bench, const std::vector<ServiceId>& only,
                                  int64_t id);

// The same within a run that failed elsewhere, which `failed` tells of: no decision of anybody.
// What became of it is added to the text of `failed` and to `accounts`.
void take_back(const Bench& bench, int64_t id, Account& failed, std::vector<Account>& accounts);

}  // namespace certrebind
