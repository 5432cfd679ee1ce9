// What the commands that act have in common: the lock, the journal, and finishing what a crash
// left.
#pragma once

#include <memory>

#include "cli/context.h"
#include "cli/output.h"

namespace certrebind {

// Holds the lock for its life.
class Acting {
 public:
  // Takes the lock and finishes interrupted transactions. Their accounts are in `recovered`, and
  // printed at once, whatever becomes of the command; with --json its answer holds them.
  static Result<std::unique_ptr<Acting>> begin(Context& context);

  const TransactionContext& transaction_context() const { return *context_; }
  const std::vector<TransactionResult>& recovered() const { return recovered_; }

 private:
  explicit Acting(State state) : state_(std::move(state)) {}

  State state_;
  TerminalWatcher watcher_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<TransactionContext> context_;
  std::vector<TransactionResult> recovered_;
};

// Prints what happened to each service; gives the worst exit code.
int print_accounts(const std::vector<TransactionResult>& accounts);
int exit_of(const std::vector<TransactionResult>& accounts);
Json to_json(const std::vector<TransactionResult>& accounts);

}  // namespace certrebind
