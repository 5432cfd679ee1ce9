// Common code of the commands that make changes: takes the lock, opens the journal, and finishes
// transactions that a crash interrupted.
#pragma once

#include <memory>

#include "cli/context.h"
#include "cli/output.h"

namespace certrebind {

// Holds the lock during its life.
class Acting {
 public:
  // Takes the lock and finishes interrupted transactions. Their results are in `recovered`. They
  // are printed at once, whatever the command does next; with --json its answer contains them.
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

// Tells the answer for programs whether these results changed anything, and which failed. What was
// rolled back is as before.
void note_outcomes(const std::vector<TransactionResult>& accounts);
// Prints the result of each service. Returns the worst exit code.
int print_accounts(const std::vector<TransactionResult>& accounts);
int exit_of(const std::vector<TransactionResult>& accounts);
Json to_json(const std::vector<TransactionResult>& accounts);

}  // namespace certrebind
