#include "rebind/bystanders.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "sys/changed_at.h"

namespace certrebind {

namespace {

// One handshake that would show it, with its type of key.
std::optional<Target> target_for(const SurveyedBinding& bound) {
  auto leaf = Certificate::parse(bound.disk->der);
  if (!leaf) return std::nullopt;
  auto all = expectations_of(bound.binding, {}, leaf->key_type, {}, leaf->key_type);
  return all.empty() ? std::nullopt : std::optional(all.front().old_target());
}

}  // namespace

bool Bystanders::changed_since(const std::string& path, WallTime since) {
  auto changed = path.empty() ? std::nullopt : changed_at(files_, path);
  return changed && *changed >= since;
}

// Those whose files changed after their server had loaded them.
std::vector<const SurveyedBinding*> Bystanders::not_loaded(const Plan& plan) {
  std::vector<const SurveyedBinding*> found;
  auto since = times_.since(*plan.service);
  if (!since) return found;
  std::set<const SurveyedBinding*> planned;
  for (const PlannedBinding& each : plan.bindings) planned.insert(each.bound);
  for (const SurveyedBinding& bound : survey_.bindings) {
    if (bound.service != plan.service || planned.contains(&bound) || !bound.disk ||
        !bound.disk->certificate)
      continue;
    if (changed_since(bound.binding.certificate.path, *since) ||
        changed_since(bound.binding.key.path, *since))
      found.push_back(&bound);
  }
  return found;
}

bool Bystanders::is_live(const Plan& plan) const {
  const Reload how = plan.service->reload();
  return how.live && how.live(plan.loads(files_)) != nullptr;
}

void Bystanders::check(Plan& plan) {
  if (plan.does_nothing() || is_live(plan)) return;
  std::vector<const SurveyedBinding*> asked;
  std::vector<Target> targets;
  for (const SurveyedBinding* bound : not_loaded(plan))
    if (auto target = target_for(*bound)) {
      asked.push_back(bound);
      targets.push_back(std::move(*target));
    }
  std::vector<Result<Served>> served = prober_.handshake_all(targets);
  std::vector<Finding> findings;
  for (size_t i = 0; i < asked.size(); ++i) {
    const SurveyedBinding& bound = *asked[i];
    if (!served[i] || bound.holds(served[i]->thumbprint)) continue;
    const std::string why = advice_.why_an_outage(bound, *served[i]);
    if (why.empty()) continue;
    findings.push_back(
        {Severity::error,
         fmt::format("the same reload would bring what lies at {} to {}, which serves {} now: {}",
                     printable(bound.binding.certificate.path), printable(bound.binding.site),
                     served[i]->thumbprint.brief(), why),
         advice_.way_back(bound.binding)});
  }
  if (!findings.empty()) plan.refuse(std::move(findings));
}

}  // namespace certrebind
