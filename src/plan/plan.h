// The plan: what a rebind would do to one service. A dry run and a real run compute it with the
// same code.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plan/preflight.h"
#include "survey/succession.h"
#include "transaction/transaction.h"

namespace certrebind {

enum class PlanKind {
  reload,   // NEW is already at the configured path
  repoint,  // the directives are changed to name NEW's files
  rewrite,  // the bound files get new content with NEW
};
std::string to_text(PlanKind kind);

// The kind that the user prefers if both are possible.
enum class Preference { automatic, repoint, rewrite };

struct PlannedBinding {
  const SurveyedBinding* bound = nullptr;
  const Succession* succession = nullptr;
  PlanKind kind = PlanKind::reload;
  // Set if the server has OLD only in memory: the certificate in the bound file, which the server
  // never loaded.
  const Certificate* never_loaded = nullptr;

  // The certificate that the bound file must hold again after a rollback.
  const Certificate& replaced() const {
    return never_loaded ? *never_loaded : succession->old_one.bundle.leaf;
  }
};

struct Plan {
  TransactionRequest request;
  std::vector<PlannedBinding> bindings;
  std::vector<Finding> findings;  // reasons to refuse, warnings, notes
  bool restarts = false;          // certrebind may restart the server now (restart_permit)

  bool does_nothing() const { return bindings.empty(); }
  std::set<const SurveyedBinding*> planned() const;
  // Sets the successions of the request, and what the server must load: the replaced files, and the
  // files that already hold NEW.
  void note_successions();
  void note_loads(const Files& on);
  // Drops everything that the plan would do. `reasons` are added to the findings.
  void refuse(std::vector<Finding> reasons);
  // Allows the plan only without a reload, for this reason: a reload would be an outage for other
  // sites, but the control socket may be used.
  void keep_from_reload(Finding reason);
};

}  // namespace certrebind
