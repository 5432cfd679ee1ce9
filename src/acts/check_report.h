// What `check` finds: the one judgement of this host, which `status` tells, too.
#pragma once

#include <vector>

#include "acts/audit.h"
#include "lifecycle/attention.h"
#include "observe/history.h"
#include "observe/looking.h"
#include "transaction/journal.h"

namespace certrebind {

struct CheckReport {
  Survey survey;
  std::vector<AuditedBinding> bindings;
  std::vector<TransactionRow> owed;         // committed while the server was down, not served since
  std::vector<TransactionRow> interrupted;  // nobody finished them yet
  // Of the diagnostics those that cost the OK: what servers have that was not seen, and servers
  // that are not seen any more.
  size_t unseen = 0;
};

// Surveys, shakes hands with everything, has the servers test what lies there, and judges. What is
// bound is remembered, and what proof was owed is noted where it is proven.
Result<CheckReport> make_report(const Looking& at, const History& history,
                                const LookProgress& progress);

// The same as what needs a person: all that costs the OK of `check`, for each server and each thing
// that is wrong once, but for bindings that are left alone. `enabled`: what the next renewal of
// what is there puts right is done by itself.
std::vector<Attention> attention_of(const CheckReport& report, bool enabled, WallTime now);

}  // namespace certrebind
