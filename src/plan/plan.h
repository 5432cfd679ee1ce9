// The plan: what a rebind would do to one service, computed by the same code in a dry run and in
// earnest.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plan/preflight.h"
#include "proof/expectation.h"
#include "survey/succession.h"
#include "transaction/planned_file.h"

namespace certrebind {

enum class PlanKind {
  reload,   // NEW already lies at the configured path
  repoint,  // the directives are made to name NEW's files
  rewrite,  // the bound files are built anew with NEW
};
std::string to_text(PlanKind kind);

// Which kind the user prefers where both are possible.
enum class Preference { automatic, repoint, rewrite };

struct PlannedBinding {
  const SurveyedBinding* bound = nullptr;
  const Succession* succession = nullptr;
  PlanKind kind = PlanKind::reload;
  // Where the server shows OLD from its memory only: what lies in the bound file instead.
  std::shared_ptr<const Certificate> never_loaded = {};

  // What the bound file is to hold again if all is taken back.
  const Certificate& replaced() const {
    return never_loaded ? *never_loaded : succession->old_one.bundle.leaf;
  }
};

struct Plan {
  const Service* service = nullptr;
  std::vector<PlannedBinding> bindings;
  std::vector<PlannedFile> files;  // ordered by path
  std::vector<Expectation> expectations;
  std::vector<Expectation> others;    // of the service's sites that nothing is changed for
  std::vector<Finding> findings;      // what was refused, warned of, or noted
  std::vector<std::string> unproven;  // endpoints that no handshake can reach, with the reason

  // Why a reload would be an outage for others, where a socket may do; and what to do.
  Finding no_reload = {};

  bool does_nothing() const { return bindings.empty(); }
  // What the server is to take up: the files that are replaced, and those that lie there already.
  // Real paths.
  std::vector<std::string> loads(const Files& on) const;
  // Nothing of it is to be done, for these reasons or those that it has already.
  void refuse(std::vector<Finding> reasons);
  // It may only be carried out without a reload, for this reason.
  void keep_from_reload(Finding reason);
};

}  // namespace certrebind
