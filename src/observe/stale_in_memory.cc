#include "observe/stale_in_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "survey/key_types.h"
#include "sys/changed_at.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

// True if the site has a certificate of this key type in another file. Then each file is asked for
// with its own type.
bool has_twin_of(KeyType type, const SameSite& same_site, const SurveyedBinding& bound) {
  return std::ranges::any_of(same_site.of(bound), [&](const SurveyedBinding* twin) {
    return twin->disk && key_type_on_disk(*twin) == type;
  });
}

}  // namespace

StaleInMemory::StaleInMemory(const Host& host, Asker& asker, const std::vector<Sighting>& sightings,
                             const std::vector<Succession>& successions)
    : host_(host), asker_(asker), successions_(successions), times_(host) {
  std::set<Thumbprint> old_ones;
  for (const Succession& succession : successions) old_ones.insert(succession.old_one.thumbprint);
  for (const Sighting& seen : sightings)
    if (old_ones.contains(seen.thumbprint)) seen_at_[seen.path];
  for (const Sighting& seen : sightings)
    if (auto path = seen_at_.find(seen.path); path != seen_at_.end())
      path->second.push_back(seen.thumbprint);
}

// True if OLD was the last certificate seen at this path before the current one.
bool StaleInMemory::was_last_there(const SurveyedBinding& bound,
                                   const Succession& succession) const {
  auto seen = seen_at_.find(bound.binding.certificate.path);
  if (seen == seen_at_.end()) return false;
  auto last = std::ranges::find_if(seen->second.rbegin(), seen->second.rend(),
                                   [&](const Thumbprint& one) { return !bound.holds(one); });
  return last != seen->second.rend() && *last == succession.old_one.thumbprint;
}

// A site rarely serves a certificate that covers none of its names.
bool StaleInMemory::is_likely(const SurveyedBinding& bound, const Succession& succession) const {
  return was_last_there(bound, succession) ||
         covers_some(succession.old_one.bundle.leaf.outline.names, bound.binding.names);
}

std::vector<StaleInMemory::Candidate> StaleInMemory::candidates(
    const Survey& survey, Where where, const std::vector<const Succession*>& which) const {
  std::set<const Service*> running;
  for (const auto& service : survey.services.found)
    if (service->reload().signal) running.insert(service.get());
  std::vector<Candidate> found;
  for (const SurveyedBinding& bound : survey.bindings) {
    if (bound.left_alone || bound.not_loaded || found_.contains(&bound) || !bound.disk ||
        !running.contains(bound.service) || holds_some_old(bound, successions_))
      continue;
    for (const Succession* succession : which) {
      if (succession->is_forced() || judged_.contains({&bound, succession}) ||
          bound.holds(succession->new_thumbprint()))
        continue;
      if (where == Where::anywhere || is_likely(bound, *succession))
        found.push_back({&bound, succession, key_type_on_disk(bound)});
    }
  }
  return found;
}

// Asks each binding once for each key type.
void StaleInMemory::ask(const std::vector<Candidate>& candidates) {
  std::vector<Target> targets;
  std::vector<std::vector<Shown>*> heard_by;
  for (const Candidate& each : candidates) {
    auto [shown, is_new] = shown_.try_emplace({each.bound, each.type});
    if (!is_new) continue;
    for (Target& target : targets_of(each.bound->binding, each.type)) {
      targets.push_back(std::move(target));
      heard_by.push_back(&shown->second);
    }
  }
  const std::vector<const Result<Served>*> answers = asker_.ask(targets);
  for (size_t i = 0; i < answers.size(); ++i)
    if (const Result<Served>& answer = *answers[i])
      heard_by[i]->push_back({answer->thumbprint, !targets[i].sni.empty(), answer->chain_length});
}

const std::vector<StaleInMemory::Shown>& StaleInMemory::shown_to(const Candidate& candidate) const {
  return shown_.at({candidate.bound, candidate.type});
}

// True if none of the server's configuration files changed since its workers were started.
bool StaleInMemory::is_as_loaded(const Survey& survey, const Service& service) {
  auto [entry, is_new] = as_loaded_.try_emplace(&service);
  if (!is_new) return entry->second;
  auto since = times_.since(service);
  auto surveyed = std::ranges::find(survey.surveyed, &service, &SurveyedService::service);
  entry->second = since && surveyed != survey.surveyed.end() &&
                  std::ranges::all_of(surveyed->configured_by, [&](const std::string& path) {
                    auto changed = changed_at(host_.files, path);
                    return changed && *changed < *since;
                  });
  return entry->second;
}

// Explains why the OLD that is shown may belong to another site; empty if it belongs to this one.
std::string StaleInMemory::doubt(const Candidate& candidate, const Survey& survey) {
  const SurveyedBinding& bound = *candidate.bound;
  auto since = times_.since(*bound.service);
  auto changed = changed_at(host_.files, bound.binding.certificate.path);
  if (!since || !changed || *changed < *since)
    return "the file did not change after the server loaded it";
  if (was_last_there(bound, *candidate.succession)) return "";
  bool is_named =
      !bound.binding.named_by_certificate ||
      std::ranges::any_of(shown_to(candidate), [](const Shown& shown) { return !shown.by_name; });
  if (!is_named) return "the site has only the names of the certificate on disk";
  if (!is_as_loaded(survey, *bound.service))
    return "the configuration changed after the server loaded it";
  return "";
}

bool StaleInMemory::is_of_a_twin(const std::vector<Shown>& shown, const SameSite& same_site,
                                 const SurveyedBinding& bound) {
  return std::ranges::all_of(shown, [&](const Shown& each) {
    return same_site.holding(each.thumbprint, bound) != nullptr;
  });
}

// No handshake can reach this binding. But its file changed after it was loaded, and the
// certificate on disk has a name of OLD.
bool StaleInMemory::may_hold_old_unseen(const Candidate& candidate) {
  const SurveyedBinding& bound = *candidate.bound;
  if (!bound.disk->certificate || !targets_of(bound.binding, KeyType::other).empty()) return false;
  auto since = times_.since(*bound.service);
  auto changed = changed_at(host_.files, bound.binding.certificate.path);
  if (!since || !changed || *changed < *since) return false;
  const std::vector<std::string>& names = candidate.succession->old_one.bundle.leaf.outline.names;
  return std::ranges::any_of(bound.disk->certificate->names, [&](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  });
}

// Returns the doubt, if there is one.
std::optional<Diagnostic> StaleInMemory::judge(const Candidate& candidate, const Survey& survey) {
  const SurveyedBinding& bound = *candidate.bound;
  const Thumbprint& old_one = candidate.succession->old_one.thumbprint;
  const std::vector<Shown>& all = shown_to(candidate);
  bool shows_old = !all.empty() && std::ranges::all_of(all, [&](const Shown& shown) {
    return shown.thumbprint == old_one;
  });
  const bool unseen = may_hold_old_unseen(candidate);
  if (!shows_old && !unseen) return std::nullopt;
  const std::string why =
      unseen ? "no handshake can show what it serves" : doubt(candidate, survey);
  if (why.empty()) {
    found_[&bound] = {old_one, all.front().chain_length};
    return std::nullopt;
  }
  const NamedFile& named = bound.binding.certificate;
  std::string lies = bound.disk->certificate ? bound.disk->certificate->thumbprint.brief()
                                             : std::string("no certificate");
  return Diagnostic{
      .severity = Severity::warning,
      .file = named.where.file,
      .line = named.where.line,
      .column = named.where.column,
      .message = fmt::format("{} {} {}, but {} is on disk at {}: certrebind cannot tell whether "
                             "the server loaded the first from there ({}); nothing was changed. "
                             "Reload the server, or certrebind rebind the certificate on disk",
                             printable(bound.binding.site), unseen ? "may have" : "shows",
                             old_one.brief(), lies, printable(named.path), why)};
}

// A site is asked with the key type of the certificate in its file. If nothing answers to that, or
// the answer is the certificate of another binding of the same site, it is asked with the key type
// of OLD.
std::vector<Diagnostic> StaleInMemory::look(const Survey& survey, Where where,
                                            const std::vector<const Succession*>& which) {
  std::vector<Candidate> all = candidates(survey, where, which);
  ask(all);
  const SameSite same_site(survey);
  for (Candidate& each : all) {
    const KeyType old_type = each.succession->old_one.bundle.leaf.key_type;
    if (is_of_a_twin(shown_to(each), same_site, *each.bound) &&
        !has_twin_of(old_type, same_site, *each.bound))
      each.type = old_type;
  }
  ask(all);
  std::vector<Diagnostic> doubts;
  for (const Candidate& each : all) {
    judged_.emplace(each.bound, each.succession);
    if (auto doubt_of_it = judge(each, survey)) doubts.push_back(std::move(*doubt_of_it));
  }
  return doubts;
}

}  // namespace certrebind
