// Prints the findings of `rebind --pending`.
#pragma once

#include "acts/pending_look.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/rebind_options.h"

namespace certrebind {

void print_undecided(const Context& context, const Pending& pending);

// Tells the answer for programs what only a person can decide.
void note_undecided(const Pending& pending);

// "needs_person" and "held".
Json to_json(const Pending& pending);

// Prints the result if no pair needs action. With --json, adds the findings to `json`.
void tell_nothing_pending(const Context& context, const PendingLook& look, Json json);

// `rebind --pending --dry-run`.
int plan_pending(Context& context, const RebindOptions& options);

}  // namespace certrebind
