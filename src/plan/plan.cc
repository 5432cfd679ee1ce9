#include "plan/plan.h"

#include <algorithm>
#include <set>

namespace certrebind {

void Plan::keep_from_reload(Finding reason) {
  findings.push_back(
      {Severity::warning, "this plan must not reload the server: " + reason.sentence, reason.next});
  no_reload = std::move(reason);
}

std::vector<std::string> Plan::loads(const Files& on) const {
  std::set<std::string> paths;
  for (const PlannedFile& file : files) paths.insert(file.path);
  for (const PlannedBinding& planned : bindings)
    if (planned.kind == PlanKind::reload)
      for (std::string& path : bound_files(on, planned.bound->binding))
        paths.insert(std::move(path));
  return {paths.begin(), paths.end()};
}

void Plan::refuse(std::vector<Finding> reasons) {
  std::ranges::move(reasons, std::back_inserter(findings));
  bindings.clear();
  expectations.clear();
  others.clear();
  files.clear();
}

std::string to_text(PlanKind kind) {
  switch (kind) {
    case PlanKind::reload:
      return "reload";
    case PlanKind::repoint:
      return "repoint";
    case PlanKind::rewrite:
      return "rewrite";
  }
  return "unknown";
}

}  // namespace certrebind
