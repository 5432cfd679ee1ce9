#include "plan/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "observe/stale_in_memory.h"
#include "plan/reload_side_effects.h"
#include "survey/key_types.h"
#include "survey/policy.h"

namespace certrebind {

namespace {

// Asks what is served by the bindings whose files already hold a NEW.
ServedNow look_at_served(Asker& asker, const Survey& survey,
                         const std::vector<Succession>& successions) {
  ServedNow served;
  const Rivals rivals(survey);
  for (const SurveyedBinding* bound : needs_look(survey, successions)) {
    const auto targets = targets_of(bound->binding, rivals.type_to_ask(*bound));
    for (const Result<Served>* answer : asker.ask(targets))
      if (const Result<Served>& shown = *answer)
        served[bound].push_back({shown->thumbprint, shown->chain_length, shown->above});
  }
  return served;
}

// Certificates that are served count as known too. Asking costs handshakes, so only if nothing else
// matches.
void add_all_served(Asker& asker, const Survey& survey, KnownCertificates& known) {
  std::vector<Target> targets;
  for (const SurveyedBinding& bound : survey.bindings) {
    // A site may have one certificate for each key type.
    const KeyType type = key_type_on_disk(bound);
    std::ranges::move(targets_of(bound.binding, KeyType::other), std::back_inserter(targets));
    if (type != KeyType::other)
      std::ranges::move(targets_of(bound.binding, type), std::back_inserter(targets));
  }
  for (const Result<Served>* shown : asker.ask(targets))
    if (*shown) known.add_served((*shown)->leaf_der);
}

// The parts of the survey that failed: an unknown certificate may be bound there.
std::string where_nobody_looked(const Survey& survey) {
  std::string text = survey.services.found.empty() ? "; no server was found" : "";
  for (const Diagnostic& diagnostic : survey.diagnostics)
    if (diagnostic.severity == Severity::error) text += "; " + diagnostic.text();
  return text;
}

Result<OldCertificate> identify_old_anywhere(const Host& host, Asker& asker, const Survey& survey,
                                             KnownCertificates& known, const std::string& typed) {
  auto old_one = identify_old(host.files, known, typed);
  if (old_one || is_path(typed) || old_one.error().code != Code::not_found) return old_one;
  add_all_served(asker, survey, known);
  old_one = identify_old(host.files, known, typed);
  if (!old_one && old_one.error().code == Code::not_found)
    old_one.error().cause += where_nobody_looked(survey);
  return old_one;
}

// One OLD has one NEW, and no succession leads back: A->B together with B->A would change nothing.
// Returns the reason for the OLD of each succession that is invalid.
std::map<Thumbprint, std::string> contradictions(const std::vector<Succession>& successions) {
  std::map<Thumbprint, std::string> found;
  std::map<Thumbprint, Thumbprint> next;
  for (const Succession& succession : successions) {
    const Thumbprint& old_one = succession.old_one.thumbprint;
    const Thumbprint& new_one = succession.new_thumbprint();
    auto [known, is_new] = next.emplace(old_one, new_one);
    if (!is_new && known->second != new_one)
      found.emplace(old_one, fmt::format("it cannot be replaced by both {} and {}",
                                         known->second.brief(), new_one.brief()));
  }
  for (const auto& [first, second] : next) {
    if (first == second) continue;
    auto hop = next.find(second);
    for (size_t hops = 0; hop != next.end() && hop->second != hop->first && hops < next.size();
         ++hops) {
      if (hop->second == first) found.emplace(first, "the successions lead back to it");
      hop = next.find(hop->second);
    }
  }
  return found;
}

Done contradict_nothing(const std::vector<Succession>& successions) {
  auto found = contradictions(successions);
  if (found.empty()) return {};
  const auto& [old_one, why] = *found.begin();
  return fail(Code::usage, "rebind", old_one.brief(), why);
}

// Drops contradictory pairs from what `--pending` found, so that they do not block the others.
void leave_contradictions(Prepared& prepared) {
  const auto found = contradictions(prepared.successions);
  for (const auto& [old_one, why] : found)
    prepared.survey.diagnostics.push_back(
        {Severity::warning, "what differs", 0, 0,
         fmt::format("{} is not replaced: {}; next: see which server serves it (certrebind check)",
                     old_one.brief(), why)});
  std::erase_if(prepared.successions, [&](const Succession& succession) {
    return found.contains(succession.old_one.thumbprint);
  });
}

// With A->B and B->C, bindings of A get C directly.
void follow_chains(std::vector<Succession>& successions) {
  for (Succession& succession : successions)
    for (size_t hops = 0; hops < successions.size(); ++hops) {
      const Thumbprint& end = succession.new_thumbprint();
      auto next = std::ranges::find_if(successions, [&](const Succession& other) {
        return &other != &succession && other.old_one.thumbprint == end &&
               other.new_one.bundle.leaf.outline.thumbprint != end;
      });
      if (next == successions.end()) break;
      succession.new_one = next->new_one;
    }
}

constexpr const char* kSwapped = " and expires before it; did you swap OLD and NEW?";

// `named`: the user named the servers.
std::string why_idle(const Prepared& prepared, const Succession& succession,
                     const ServedNow& served, bool named) {
  const std::string old_text = succession.old_one.thumbprint.brief();
  const CertificateOutline& old_leaf = succession.old_one.bundle.leaf.outline;
  const bool is_older = old_leaf.not_after > succession.new_one.bundle.leaf.outline.not_after;
  const char* exchanged = is_older ? kSwapped : "";
  const Thumbprint& new_thumbprint = succession.new_thumbprint();
  for (const SurveyedBinding& bound : prepared.survey.bindings)
    if (bound.holds(new_thumbprint) && served.contains(&bound))
      return fmt::format("no server uses {}; {} is already served{}", old_text,
                         new_thumbprint.brief(), exchanged);
  const char* hint = "; name a stopped server with --service KIND:PATH";
  if (prepared.survey.services.found.empty())
    return fmt::format("no running server was found, so none uses {}{}", old_text, hint);
  return named ? "no named server uses " + old_text
               : fmt::format("no running server uses {}{}", old_text, hint);
}

// Tests that also tell what a server sees take longest, so they start before anything is read.
ConfigTests begin_tests(const Host& host, const Services& services) {
  ConfigTests tests;
  for (const auto& service : services.found)
    if (own_view_of(*service)) tests.begin(host, *service);
  return tests;
}

// Successions that no binding is planned for, although nothing was refused.
std::vector<const Succession*> idle_ones(const Prepared& prepared) {
  std::vector<const Succession*> idle;
  for (const Succession& succession : prepared.successions)
    if (!prepared.acts_on(succession) && !prepared.refused()) idle.push_back(&succession);
  return idle;
}

// Identifies the certificates that the request names.
Result<std::vector<Succession>> identify_all(const Host& host, const Settings& settings,
                                             Asker& asker, const History& history, Survey& survey,
                                             const RebindRequest& request) {
  KnownCertificates known;
  known.add_stored(host.files, settings.stores);
  known.add_bound(survey);
  known.add_seen(history.sightings);
  std::vector<Succession> successions;
  for (const RequestedPair& pair : request.pairs) {
    auto old_one = identify_old_anywhere(host, asker, survey, known, pair.old_one);
    if (!old_one && !request.found) return pass(old_one);
    auto new_one =
        identify_new(host.files, known, settings.stores, survey, pair.new_one, pair.key_path);
    if (!new_one && !request.found) return pass(new_one);
    if (!old_one || !new_one) {
      // A pair that cannot be identified does not block the others.
      const Error& error = old_one ? new_one.error() : old_one.error();
      survey.diagnostics.push_back({Severity::error, pair.new_one, 0, 0, error.message()});
      continue;
    }
    successions.push_back(
        {std::move(*old_one), std::move(*new_one), pair.how, pair.renewer, pair.accepted});
  }
  return successions;
}

// Makes the handshakes that planning needs, makes the plans, and explains successions that concern
// no binding.
void plan_all(const Host& host, const Settings& settings, Asker& asker, const History& history,
              const RebindRequest& request, Prepared& prepared) {
  StaleInMemory only_served(host, asker, history.sightings, prepared.successions);
  auto look = [&](StaleInMemory::Where where, const std::vector<const Succession*>& which) {
    std::vector<Diagnostic> doubts = only_served.look(prepared.survey, where, which);
    prepared.doubtful = prepared.doubtful || !doubts.empty();
    std::ranges::move(doubts, std::back_inserter(prepared.survey.diagnostics));
  };
  std::vector<const Succession*> all;
  for (const Succession& succession : prepared.successions) all.push_back(&succession);
  look(StaleInMemory::Where::likely, all);
  ServedNow served = look_at_served(asker, prepared.survey, prepared.successions);
  PlanContext context{.files = host.files,
                      .settings = settings,
                      .survey = prepared.survey,
                      .sightings = history.sightings,
                      .served = served,
                      .only_served = only_served.found(),
                      .preference = request.preference,
                      .now = host.clock.wall()};
  prepared.plans = make_plans(context, prepared.successions);
  if (auto idle = idle_ones(prepared); !idle.empty()) {
    look(StaleInMemory::Where::anywhere, idle);
    prepared.plans = make_plans(context, prepared.successions);
  }
  ReloadSideEffects bystanders(host, settings, asker, prepared.survey);
  for (Plan& plan : prepared.plans) bystanders.check(plan);
  for (const Succession* succession : idle_ones(prepared)) {
    prepared.idle.push_back(why_idle(prepared, *succession, served, !request.only.empty()));
    prepared.exchanged = prepared.exchanged || prepared.idle.back().ends_with(kSwapped);
  }
}

}  // namespace

bool Prepared::refused() const {
  return std::ranges::any_of(plans, [](const Plan& plan) { return refuses(plan.findings); });
}

bool Prepared::overlooked() const {
  bool unread = std::ranges::any_of(
      survey.diagnostics, [](const Diagnostic& each) { return each.severity == Severity::error; });
  return doubtful || (unread && !idle.empty());
}

std::vector<const Service*> Prepared::servers_for(const Succession& succession) const {
  std::vector<const Service*> services;
  for (const Plan& plan : plans)
    if (std::ranges::any_of(plan.bindings, [&](const PlannedBinding& planned) {
          return planned.succession == &succession;
        }))
      services.push_back(plan.request.service);
  return services;
}

bool Prepared::acts_on(const Succession& succession) const {
  return !servers_for(succession).empty();
}

void Prepared::hear_doubts() {
  std::ranges::move(tests.doubts(survey.surveyed), std::back_inserter(survey.diagnostics));
  tests = {};
}

Result<Prepared> prepare(const Host& host, const Settings& settings, Asker& asker,
                         const History& history, const RebindRequest& request) {
  auto services = find_services(host, request.only);
  if (!services) return pass(services);
  ConfigTests tests = begin_tests(host, *services);
  auto surveyed =
      as_loaded(survey_of(std::move(*services), host, !request.only.empty()), host, asker, history);
  if (!surveyed) return pass(surveyed);
  return prepare(host, settings, asker, history, request, std::move(*surveyed), std::move(tests));
}

Result<Prepared> prepare(const Host& host, const Settings& settings, Asker& asker,
                         const History& history, const RebindRequest& request, Survey surveyed,
                         ConfigTests tests) {
  Prepared prepared{.survey = std::move(surveyed), .successions = {}, .plans = {}, .idle = {}};
  prepared.tests = std::move(tests);
  prefer_restarts(settings, prepared.survey, host.clock.wall());
  auto successions = identify_all(host, settings, asker, history, prepared.survey, request);
  if (!successions) return pass(successions);
  prepared.successions = std::move(*successions);
  if (request.found) leave_contradictions(prepared);
  if (Done consistent = contradict_nothing(prepared.successions); !consistent)
    return pass(consistent);
  follow_chains(prepared.successions);
  plan_all(host, settings, asker, history, request, prepared);
  return prepared;
}

}  // namespace certrebind
