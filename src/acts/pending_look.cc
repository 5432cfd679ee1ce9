#include "acts/pending_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "acts/keep_proven.h"
#include "base/text.h"
#include "transaction/key_pairs.h"

namespace certrebind {

namespace {

// If a service serves everything that is on disk, and all keys match, then the problem that an
// earlier transaction left has been fixed.
Done note_settled(const Host& host, Database& database, const PendingLook& look) {
  const std::vector<SurveyedBinding>& bindings = look.survey.bindings;
  for (const auto& service : look.survey.services.found) {
    std::vector<const Binding*> of_service;
    bool agrees = true;
    for (size_t i = 0; i < bindings.size(); ++i) {
      if (bindings[i].service != service.get() || bindings[i].left_alone) continue;
      of_service.push_back(&bindings[i].binding);
      agrees = agrees && !bindings[i].not_loaded &&
               std::ranges::all_of(look.looks[i], [&](const Look& each) {
                 return each.served && bindings[i].holds(each.served->thumbprint);
               });
    }
    for (const SurveyedBinding& bound : look.survey.shadowed)
      if (bound.service == service.get()) of_service.push_back(&bound.binding);
    if (of_service.empty() || !agrees || !broken_pairs(host.files, of_service).empty()) continue;
    Done noted = set_attention(database, stuck_subject(service->id()), {}, host.clock.wall());
    if (!noted) return noted;
  }
  return {};
}

// An ordinary user may run certrebind for his own servers while other users' servers exist.
bool concerns_us(const Survey& survey, const Diagnostic& diagnostic) {
  if (diagnostic.severity != Severity::error) return false;
  return !diagnostic.hidden || own_user() == 0 || survey.services.found.empty();
}

}  // namespace

Result<Survey> survey_for_pending(const Looking& at, const History& history) {
  auto surveyed = survey(at.host, at.only);
  if (surveyed) {
    leave_alone(at.settings, *surveyed);
    prefer_restarts(at.settings, *surveyed, at.host.clock.wall());
  }
  return as_loaded(std::move(surveyed), at.host, at.asker, history);
}

PendingLook find_pending_among(const Looking& at, const History& history, Survey surveyed,
                               const ChosenBindings& chosen) {
  PendingLook found{.survey = std::move(surveyed)};
  found.looks = look_at_all(at.asker, found.survey, {}, chosen);
  found.pending =
      find_pending(at.host, at.settings, found.survey, found.looks, history, {}, chosen);
  if (!found.pending.pairs.empty()) {
    Doubts doubts = hear_doubts(at.host, found.survey, found.tests);
    if (!doubts.empty())
      found.pending =
          find_pending(at.host, at.settings, found.survey, found.looks, history, doubts, chosen);
  }
  found.judged = judge(at.host, at.settings, found.survey, found.looks);
  std::erase_if(found.judged, [&](const AuditedBinding& each) {
    return each.bound->left_alone || (chosen && !chosen(*each.bound));
  });
  for (AuditedBinding& each : found.judged) each.looks.clear();
  return found;
}

Result<PendingLook> find_all_pending(const Looking& at, const History& history) {
  auto surveyed = survey_for_pending(at, history);
  if (!surveyed) return pass(surveyed);
  return find_pending_among(at, history, std::move(*surveyed), {});
}

Result<PendingLook> look_for_pending(const Looking& at, Database& database, Journal& journal) {
  auto history = read_history(database, journal);
  if (!history) return pass(history);
  auto found = find_all_pending(at, *history);
  if (!found) return found;
  auto noted = remember_survey(database, found->survey, at.only.empty(), at.host.clock.wall());
  if (!noted) return pass(noted);
  Done kept = keep_served(at.host, at.settings, found->survey, found->looks);
  if (!kept) return pass(kept);
  Done settled = note_settled(at.host, database, *found);
  if (!settled) return pass(settled);
  return found;
}

namespace {

std::set<const SurveyedBinding*> planned_in(const Prepared* prepared) {
  std::set<const SurveyedBinding*> planned;
  if (prepared == nullptr) return planned;
  for (const Plan& plan : prepared->plans) planned.merge(plan.planned());
  return planned;
}

}  // namespace

bool add_judged(const PendingLook& look, const Prepared* prepared, Pending& pending) {
  const std::set<const SurveyedBinding*> planned = planned_in(prepared);
  std::vector<Attention> found = attention_for(
      look.judged,
      [&](const AuditedBinding& each, Complaint complaint) {
        return needs_a_person(complaint) && !planned.contains(each.bound);
      },
      [](const std::string& service, Complaint complaint) {
        return fmt::format("pending {}, {}", service, to_text(complaint));
      });
  const bool any = !found.empty();
  std::ranges::move(found, std::back_inserter(pending.undecided));
  return any;
}

bool is_overlooked(const Survey& survey) {
  return std::ranges::any_of(survey.diagnostics, [&](const Diagnostic& diagnostic) {
    return concerns_us(survey, diagnostic);
  });
}

void add_overlooked(const Survey& survey, Pending& pending) {
  std::set<std::string> told;
  for (const Diagnostic& diagnostic : survey.diagnostics)
    if (concerns_us(survey, diagnostic) && told.insert(diagnostic.file).second)
      pending.undecided.push_back(
          {.subject = fmt::format("pending {}, as far as it could be read", diagnostic.file),
           .sentence = kUnread + diagnostic.text(),
           .next = "certrebind check"});
}

void add_refused(const Prepared& prepared, Pending& pending) {
  for (const Plan& plan : prepared.plans) {
    if (!refuses(plan.findings)) continue;
    std::vector<std::string> sentences;
    std::string next;
    for (const Finding& finding : plan.findings) {
      if (finding.severity != Severity::error) continue;
      sentences.push_back(finding.sentence);
      if (next.empty()) next = finding.next;
    }
    std::string service = plan.request.service->id().text();
    pending.undecided.push_back(
        {.subject = "pending " + service,
         .sentence = fmt::format("refused for {}: {}", service, join(sentences, "; ")),
         .next = next.empty() ? "certrebind rebind --pending --dry-run" : next});
  }
}

void add_failed(const std::vector<TransactionResult>& accounts, Pending& pending) {
  for (const TransactionResult& account : accounts)
    if (account.outcome != Outcome::committed)
      pending.undecided.push_back(
          {.subject = fmt::format("pending {}, the last try", account.service.text()),
           .sentence = fmt::format("{}: {}", account.service.text(), to_text(account.outcome)),
           .next = fmt::format("certrebind history show {}", account.transaction)});
}

Done note_undecided(Database& database, const Pending& pending, WallTime now) {
  return set_attention(database, "pending ", pending.undecided, now);
}

Result<Prepared> prepare_pending(const Looking& at, const History& history, PendingLook& look,
                                 Preference preference, bool found_by_itself) {
  RebindRequest request{.pairs = look.pending.pairs,
                        .preference = preference,
                        .only = at.only,
                        .found = found_by_itself};
  // Sites that share a directive with one that is left out cannot be edited without it.
  auto place_of = [](const SurveyedBinding& bound) {
    return std::pair(bound.service, bound.binding.certificate.where.text());
  };
  std::set<std::pair<const Service*, std::string>> left_out;
  for (const SurveyedBinding* bound : look.pending.left_out) left_out.insert(place_of(*bound));
  for (SurveyedBinding& bound : look.survey.bindings)
    bound.left_alone = left_out.contains(place_of(bound));
  return prepare(at.host, at.settings, at.asker, history, request, std::move(look.survey),
                 std::move(look.tests));
}

}  // namespace certrebind
