// Undoes a transaction, as a new transaction.
#pragma once

#include <vector>

#include "service/registry.h"
#include "transaction/transaction.h"

namespace certrebind {

// Which transaction to undo. With neither, the last one.
struct UndoRequest {
  int64_t id = 0;
  // The last one that concerned this site, and those that brought the same certificate to it on
  // other servers.
  std::string site = {};
};

// Restores the files that the transaction replaced. Services that had loaded the same files follow.
// Returns one result each, that of the transaction first; none if there is nothing to undo. An undo
// is a person's decision: the daemon does not redo the change.
Result<std::vector<TransactionResult>> undo(const TransactionContext& context,
                                            const std::vector<ServiceId>& only,
                                            const UndoRequest& request);

// The same within a run in which `failed` failed. This is not a person's decision. The result is
// added to the text of `failed` and to `accounts`.
void take_back(const TransactionContext& context, int64_t id, TransactionResult& failed,
               std::vector<TransactionResult>& accounts);

}  // namespace certrebind
