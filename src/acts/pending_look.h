// What `rebind --pending` finds, and which part of it needs a person.
#pragma once

#include <vector>

#include "acts/audit.h"
#include "observe/looking.h"
#include "plan/pending.h"
#include "transaction/transaction.h"

namespace certrebind {

// `pending` contains pointers into `survey`, so this struct may be moved but not copied.
struct PendingLook {
  Survey survey = {};
  Pending pending = {};
  std::vector<std::vector<Look>> looks = {};  // in the order of the survey
  // The audit of the bindings, without their handshakes; excludes bindings that a policy leaves
  // alone.
  std::vector<AuditedBinding> judged = {};
  ConfigTests tests = {};  // tests of servers that can tell what they see
};

// Surveys as the functions below do, with what is known of certificates that only a server's memory
// still holds.
Result<Survey> survey_for_pending(const Looking& at, const History& history);
// Makes the handshakes of the `chosen` bindings, and finds what is pending there.
PendingLook find_pending_among(const Looking& at, const History& history, Survey surveyed,
                               const ChosenBindings& chosen);

// Surveys, makes all handshakes, and finds what is pending. Stores what is bound and seen, if
// `database` is writable.
Result<PendingLook> look_for_pending(const Looking& at, Database& database, Journal& journal);
// The same, but stores nothing.
Result<PendingLook> find_all_pending(const Looking& at, const History& history);

// Makes the plans for what was found. Moves the survey out of `look`. `found_by_itself`:
// RebindRequest::found.
Result<Prepared> prepare_pending(const Looking& at, const History& history, PendingLook& look,
                                 Preference preference, bool found_by_itself = true);

// True if something could not be read, so that its differences are unknown. Servers that this user
// may not inspect do not count, unless there are no others.
bool is_overlooked(const Survey& survey);

// Adds to `pending`, as needing a person, what could not be read.
void add_overlooked(const Survey& survey, Pending& pending);

// Adds what the audit finds and no pair fixes: for all bindings if `prepared` is null, else for
// those without a plan. Returns whether there was any.
bool add_judged(const PendingLook& look, const Prepared* prepared, Pending& pending);

// Adds what preflight refuses.
void add_refused(const Prepared& prepared, Pending& pending);

// Adds what could not be proven.
void add_failed(const std::vector<TransactionResult>& accounts, Pending& pending);

// Stores the undecided items as the attention list, replacing those of the last look.
Done note_undecided(Database& database, const Pending& pending, WallTime now);

}  // namespace certrebind
