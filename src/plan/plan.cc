#include "plan/plan.h"

#include <algorithm>

namespace certrebind {

std::set<const SurveyedBinding*> Plan::planned() const {
  std::set<const SurveyedBinding*> planned;
  for (const PlannedBinding& binding : bindings) planned.insert(binding.bound);
  return planned;
}

void Plan::keep_from_reload(Finding reason) {
  findings.push_back(
      {Severity::warning, "this plan must not reload the server: " + reason.sentence, reason.next});
  request.no_reload = std::move(reason.sentence);
  request.way_back = std::move(reason.next);
}

void Plan::note_successions() {
  for (const PlannedBinding& planned : bindings) {
    std::string old_text = planned.replaced().outline.thumbprint.hex();
    std::string new_text = planned.succession->new_thumbprint().hex();
    auto known = std::ranges::find_if(request.successions, [&](const JournalSuccession& each) {
      return each.old_thumbprint == old_text && each.new_thumbprint == new_text;
    });
    if (known == request.successions.end())
      known = request.successions.insert(known, {old_text, new_text, {}});
    known->sites.push_back(planned.bound->binding.site);
  }
}

void Plan::note_loads(const Files& on) {
  std::set<std::string> paths;
  for (const PlannedFile& file : request.files) paths.insert(file.path);
  for (const PlannedBinding& planned : bindings)
    if (planned.kind == PlanKind::reload)
      for (std::string& path : bound_files(on, planned.bound->binding))
        paths.insert(std::move(path));
  request.loads.assign(paths.begin(), paths.end());
}

void Plan::refuse(std::vector<Finding> reasons) {
  std::ranges::move(reasons, std::back_inserter(findings));
  bindings.clear();
  static_cast<TransactionGoal&>(request) = {};
  request.files.clear();
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
