// The findings of `check`: the judgement of this host. `status` shows it too.
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
  std::vector<TransactionRow> owed;  // committed while the server was down, and not proven since
  std::vector<TransactionRow> interrupted;  // not finished yet
  // Number of diagnostics that prevent the result OK: certificates in servers that the survey did
  // not see, and servers that are no longer found.
  size_t unseen = 0;
};

// Surveys, makes all handshakes, runs the servers' configuration tests, and judges. Stores what is
// bound, and clears owed proof where everything is proven now.
Result<CheckReport> make_report(const Looking& at, const History& history,
                                const LookProgress& progress);

// The certificates on disk that servers say they have not loaded, of those servers that tell
// (Reload::loaded), or why that is not known.
std::vector<Diagnostic> ask_what_is_not_loaded(const Host& host, const Survey& survey);

// The same findings as attention items: everything that prevents the result OK of `check`, once for
// each server and complaint. Bindings that a policy leaves alone are excluded. `enabled`: problems
// that the next renewal fixes are excluded, because that happens automatically.
std::vector<Attention> attention_of(const Settings& settings, const CheckReport& report,
                                    bool enabled, WallTime now);

// Everything that needs a person now: `stored` are the items in the database, and those that an
// earlier look left there are replaced by what `report` says. Interrupted transactions are
// not among them.
std::vector<Attention> attention_now(const Settings& settings, std::vector<Attention> stored,
                                     const CheckReport& report, bool enabled, WallTime now);

// Interrupted transactions as attention items.
std::vector<Attention> attention_of(const std::vector<TransactionRow>& interrupted);

}  // namespace certrebind
