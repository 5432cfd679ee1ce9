#include "plan/reload_side_effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "observe/renewed_in_memory.h"
#include "survey/policy.h"
#include "sys/changed_at.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

// If the site serves a certificate for other names, such as the default one, its clients already
// reject it. The site is new and not loaded yet.
bool is_for(const Served& served, const Binding& binding) {
  auto shown = outline_of(served.leaf_der);
  return shown && covers_some(shown->names, binding.names);
}

}  // namespace

// Read once: many sites may share one file.
const std::optional<WallTime>& ReloadSideEffects::changed(const std::string& path) {
  auto [entry, is_new] = changed_.try_emplace(path);
  if (is_new && !path.empty()) entry->second = changed_at(host_.files, path);
  return entry->second;
}

// The bindings whose files, or the configuration that names them, changed after the server loaded
// them.
std::vector<const SurveyedBinding*> ReloadSideEffects::not_loaded(const Plan& plan) {
  std::vector<const SurveyedBinding*> found;
  auto since = times_.since(*plan.request.service);
  if (!since) return found;
  const auto planned = plan.planned();
  for (const SurveyedBinding& bound : survey_.bindings) {
    if (bound.service != plan.request.service || planned.contains(&bound) || !bound.disk ||
        !bound.disk->certificate || bound.waits_for_restart())
      continue;
    const std::optional<WallTime> latest =
        std::max({changed(bound.binding.certificate.path), changed(bound.binding.key.path),
                  changed(bound.binding.certificate.where.file)});
    if (latest && *latest >= *since) found.push_back(&bound);
  }
  return found;
}

std::string ReloadSideEffects::why_not(const SurveyedBinding& bound, const Served& served) {
  const SurveyedBinding* twin = same_site_.holding(served.thumbprint, bound);
  if (twin == nullptr) {
    const std::string why = advice_.why_an_outage(bound, served);
    return why.empty() ? advice_.why_refused(bound, served) : why;
  }
  return fmt::format(
      "its key has the same type as that of {}, and the server serves only one of the two",
      printable(twin->binding.certificate.path));
}

bool ReloadSideEffects::is_live(const Plan& plan) const {
  const Reload how = plan.request.service->reload();
  return how.live && how.live(plan.request.loads) != nullptr;
}

// Renewed certificates that the server holds in its memory only. The plan may bring one of them to
// the disk, or name it as OLD. If it would replace one unseen, it is refused.
void ReloadSideEffects::check_memory(Plan& plan) {
  std::vector<Finding> replaced, lost;
  for (const auto& [bound, served] : only_in_memory(asker_, survey_, *plan.request.service)) {
    auto planned = std::ranges::find(plan.bindings, bound, &PlannedBinding::bound);
    const bool is_planned = planned != plan.bindings.end();
    if (is_planned && (planned->succession->old_one.thumbprint == served.thumbprint ||
                       planned->succession->new_thumbprint() == served.thumbprint))
      continue;
    (is_planned ? replaced : lost)
        .push_back({Severity::error, in_memory_sentence(*bound, served), how_to_save(*bound)});
  }
  if (replaced.empty()) return keep_from_reload(plan, std::move(lost));
  plan.refuse(std::move(replaced));
}

void ReloadSideEffects::keep_from_reload(Plan& plan, std::vector<Finding> findings) const {
  if (findings.empty() || plan.does_nothing()) return;
  if (is_live(plan))
    plan.keep_from_reload(std::move(findings.front()));
  else
    plan.refuse(std::move(findings));
}

void ReloadSideEffects::check_restart(Plan& plan) const {
  const ServiceId& id = plan.request.service->id();
  const Reload how = plan.request.service->reload();
  if (plan.does_nothing() || is_live(plan)) return;
  if (how.restart_only.empty()) return check_waiting(plan);
  const RestartPermit permit = restart_permit(settings_, id, host_.clock.wall());
  if (permit.not_now.empty()) return;
  plan.refuse({{Severity::error,
                fmt::format("{} cannot load new files: {}; {}", id.text(), how.restart_only,
                            permit.not_now),
                kRestartIt}});
}

// A reload would bring nothing.
void ReloadSideEffects::check_waiting(Plan& plan) const {
  const bool all_wait = std::ranges::all_of(
      plan.bindings, [](const PlannedBinding& each) { return each.bound->waits_for_restart(); });
  if (!all_wait) return;
  plan.refuse(
      {{Severity::error,
        fmt::format("{} does not load new files there: {}", plan.request.service->id().text(),
                    plan.bindings.front().bound->binding.restart_only),
        kRestartIt}});
}

void ReloadSideEffects::check(Plan& plan) {
  check_restart(plan);
  if (plan.does_nothing()) return;
  check_memory(plan);
  if (plan.does_nothing()) return;
  std::vector<const SurveyedBinding*> asked;
  std::vector<Target> targets;
  for (const SurveyedBinding* bound : not_loaded(plan))
    for (Target& target : targets_of(bound->binding, rivals_.type_to_ask(*bound))) {
      asked.push_back(bound);
      targets.push_back(std::move(target));
    }
  const std::vector<const Result<Served>*> answers = asker_.ask(targets);
  std::vector<Finding> findings, harmless;
  std::set<std::string> told, noted;
  for (size_t i = 0; i < asked.size(); ++i) {
    const SurveyedBinding& bound = *asked[i];
    const Result<Served>& served = *answers[i];
    if (!served || bound.holds(served->thumbprint) || !is_for(*served, bound.binding)) continue;
    const std::string why = why_not(bound, *served);
    const std::string& path = bound.binding.certificate.path;
    if (why.empty()) {
      if (!noted.insert(path).second) continue;
      harmless.push_back({Severity::note,
                          fmt::format("the same reload loads {} for {}: {} -> {}", printable(path),
                                      printable(bound.binding.site), served->thumbprint.brief(),
                                      bound.disk->certificate->thumbprint.brief()),
                          ""});
      continue;
    }
    if (!told.insert(path).second) continue;
    findings.push_back({Severity::error,
                        fmt::format("the same reload would load {} for {}, which serves {} now: {}",
                                    printable(bound.binding.certificate.path),
                                    printable(bound.binding.site), served->thumbprint.brief(), why),
                        advice_.next_for(bound, *served)});
  }
  keep_from_reload(plan, std::move(findings));
  if (!plan.does_nothing() && !is_live(plan))
    std::ranges::move(harmless, std::back_inserter(plan.findings));
}

}  // namespace certrebind
