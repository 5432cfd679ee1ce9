// What `rebind --pending` finds, and how it is told.
#pragma once

#include <memory>

#include "acts/audit.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/rebind_options.h"
#include "plan/pending.h"

namespace certrebind {

// The survey is kept because what is left out points into it.
struct PendingLook {
  std::unique_ptr<Survey> survey;
  Pending pending;
  std::vector<std::vector<Look>> looks;  // in the survey's order
  std::vector<AuditedBinding> judged;    // what an audit says of them; without the looks
};

// Surveys, shakes hands with everything, and finds what is pending. What is bound and seen is
// remembered, unless `database` may not be written.
Result<PendingLook> look_for_pending(Context& context, Database& database, Journal& journal);

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

void print_undecided(const Context& context, const Pending& pending);

// "needs_person" and "held".
Json to_json(const Pending& pending);

RebindRequest request_of(const Pending& pending, const Context& context,
                         const RebindOptions& options);

// Where there is no pair to act on. With --json, what was found is added to `json`.
void tell_nothing_pending(const Context& context, const PendingLook& look, Json json);

// `rebind --pending --dry-run`.
int plan_pending(Context& context, const RebindOptions& options);

}  // namespace certrebind
