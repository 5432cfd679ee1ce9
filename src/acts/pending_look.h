// What `rebind --pending` finds, and what of it needs a person.
#pragma once

#include <vector>

#include "acts/audit.h"
#include "observe/looking.h"
#include "plan/pending.h"
#include "transaction/transaction.h"

namespace certrebind {

// What is pending points into the bindings of the survey; it may be moved, not copied.
struct PendingLook {
  Survey survey = {};
  Pending pending = {};
  std::vector<std::vector<Look>> looks = {};  // in the survey's order
  // What an audit says of them, but for those that a policy leaves alone; without the looks.
  std::vector<AuditedBinding> judged = {};
  ConfigTests tests = {};  // of servers that tell what they see
};

// Surveys, shakes hands with everything, and finds what is pending. What is bound and seen is
// remembered, unless `database` may not be written.
Result<PendingLook> look_for_pending(const Looking& at, Database& database, Journal& journal);
// The same, and remembers nothing.
Result<PendingLook> find_all_pending(const Looking& at, const History& history);

// Plans for what was found, in the survey of `look`, which is moved from.
Result<Prepared> prepare_pending(const Looking& at, const History& history, PendingLook& look,
                                 Preference preference);

// Whether something could not be looked at, so that nobody knows what differs there. Servers that
// are not this user's to look into do not count, unless there are no others.
bool is_overlooked(const Survey& survey);

// What could not be looked at needs a person, …
void add_overlooked(const Survey& survey, Pending& pending);

// … so does what an audit finds that no pair puts right: all of it where `prepared` is null, else
// of the bindings that it has no plan for. Gives whether there was any, …
bool add_judged(const PendingLook& look, const Prepared* prepared, Pending& pending);

// … so does what preflight refuses, …
void add_refused(const Prepared& prepared, Pending& pending);

// … and what could not be proven.
void add_failed(const std::vector<TransactionResult>& accounts, Pending& pending);

// The list of what needs a person is made what this look says.
Done note_undecided(Database& database, const Pending& pending, WallTime now);

}  // namespace certrebind
