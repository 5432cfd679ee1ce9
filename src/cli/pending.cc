#include "cli/pending.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "acts/keep_proven.h"
#include "base/text.h"
#include "cli/render_plan.h"
#include "transaction/key_pairs.h"

namespace certrebind {

namespace {

Result<PendingLook> look(Context& context, const History& history) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return pass(surveyed);
  leave_alone(context.settings(), *surveyed);
  mark_not_loaded(context.host(), history, *surveyed);
  PendingLook found{std::make_unique<Survey>(std::move(*surveyed)), {}, {}, {}};
  found.looks = look_at_all(context.prober(), *found.survey, {});
  found.pending =
      find_pending(context.host(), context.settings(), *found.survey, found.looks, history);
  if (!found.pending.pairs.empty()) {
    Doubts doubts = hear_doubts(context.host(), *found.survey);
    if (!doubts.empty())
      found.pending = find_pending(context.host(), context.settings(), *found.survey, found.looks,
                                   history, doubts);
  }
  found.judged = judge(context.host(), context.settings(), *found.survey, found.looks);
  for (AuditedBinding& each : found.judged) each.looks.clear();
  return found;
}

// Where everything serves what lies on disk, with its key, whatever was left by an earlier
// transaction has been put right.
Done note_settled(const Host& host, Database& database, const PendingLook& look) {
  const std::vector<SurveyedBinding>& bindings = look.survey->bindings;
  for (const auto& service : look.survey->services.found) {
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
    if (of_service.empty() || !agrees || !broken_pairs(host.files, of_service).empty()) continue;
    Done noted = set_attention(database, stuck_subject(service->id()), {}, host.clock.wall());
    if (!noted) return noted;
  }
  return {};
}

// An ordinary user may run it for servers of his own beside those of others.
bool concerns_us(const Survey& survey, const Diagnostic& diagnostic) {
  if (diagnostic.severity != Severity::error) return false;
  return !diagnostic.hidden || own_user() == 0 || survey.services.found.empty();
}

}  // namespace

Result<PendingLook> look_for_pending(Context& context, Database& database, Journal& journal) {
  auto history = read_history(database, journal);
  if (!history) return pass(history);
  auto found = look(context, *history);
  if (!found) return found;
  auto noted = remember_survey(database, *found->survey, context.only().empty(),
                               context.host().clock.wall());
  if (!noted) return pass(noted);
  Done kept = keep_served(context.host(), context.settings(), *found->survey, found->looks);
  if (!kept) return pass(kept);
  Done settled = note_settled(context.host(), database, *found);
  if (!settled) return pass(settled);
  return found;
}

namespace {

using Places = std::set<std::pair<std::string, std::string>>;

std::pair<std::string, std::string> place_of(const SurveyedBinding& bound) {
  return {bound.service->id().text(), bound.binding.certificate.where.text()};
}

// They are planned in a survey of their own.
Places planned_in(const Prepared* prepared) {
  Places places;
  if (prepared == nullptr) return places;
  for (const Plan& plan : prepared->plans)
    for (const PlannedBinding& planned : plan.bindings) places.insert(place_of(*planned.bound));
  return places;
}

}  // namespace

// Thousands of sites may have the same complaint: one of them is told.
bool add_judged(const PendingLook& look, const Prepared* prepared, Pending& pending) {
  const Places planned = planned_in(prepared);
  std::map<std::pair<std::string, Complaint>, std::vector<const Remark*>> found;
  for (const AuditedBinding& each : look.judged) {
    if (each.bound->left_alone || planned.contains(place_of(*each.bound))) continue;
    for (const Remark& remark : each.remarks)
      if (needs_a_person(remark.complaint))
        found[{each.bound->service->id().text(), remark.complaint}].push_back(&remark);
  }
  for (const auto& [about, remarks] : found) {
    const auto& [service, complaint] = about;
    std::string sentence =
        fmt::format("{}: {}: {}", service, to_text(complaint), remarks.front()->sentence);
    if (remarks.size() > 1) sentence += fmt::format(" (and {} more like it)", remarks.size() - 1);
    const std::string& next = remarks.front()->next;
    pending.undecided.push_back(
        {.subject = fmt::format("pending {}, {}", service, to_text(complaint)),
         .sentence = std::move(sentence),
         .next = next.empty() ? "certrebind check" : next,
         .since = {}});
  }
  return !found.empty();
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
           .sentence = "what differs is not known where it could not be read: " + diagnostic.text(),
           .next = "certrebind check",
           .since = {}});
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
    std::string service = plan.service->id().text();
    pending.undecided.push_back(
        {.subject = "pending " + service,
         .sentence = fmt::format("refused for {}: {}", service, join(sentences, "; ")),
         .next = next.empty() ? "certrebind rebind --pending --dry-run" : next,
         .since = {}});
  }
}

void add_failed(const std::vector<TransactionResult>& accounts, Pending& pending) {
  for (const TransactionResult& account : accounts)
    if (account.outcome != Outcome::committed)
      pending.undecided.push_back(
          {.subject = fmt::format("pending {}, the last try", account.service.text()),
           .sentence = fmt::format("{}: {}", account.service.text(), to_text(account.outcome)),
           .next = fmt::format("certrebind history show {}", account.transaction),
           .since = {}});
}

Done note_undecided(Database& database, const Pending& pending, WallTime now) {
  return set_attention(database, "pending ", pending.undecided, now);
}

void print_undecided(const Context& context, const Pending& pending) {
  if (context.json()) return;
  for (const Attention& undecided : pending.undecided) {
    print_line(coloured(Colour::yellow, "needs a person: ") + printable(undecided.sentence));
    print_line("  next: " + printable(undecided.next));
  }
  for (const std::string& sentence : pending.held) print_line(printable(sentence));
}

RebindRequest request_of(const Pending& pending, const Context& context,
                         const RebindOptions& options) {
  RebindRequest request{.pairs = pending.pairs, .only = context.only(), .found = true};
  std::set<std::pair<std::string, std::string>> left_out;
  for (const SurveyedBinding* bound : pending.left_out)
    left_out.emplace(bound->service->id().text(), bound->binding.certificate.where.text());
  request.leave_out = [left_out](const SurveyedBinding& bound) {
    return left_out.contains({bound.service->id().text(), bound.binding.certificate.where.text()});
  };
  if (options.repoint) request.preference = Preference::repoint;
  if (options.rewrite) request.preference = Preference::rewrite;
  return request;
}

Json to_json(const Pending& pending) {
  Json needs_person = Json::array();
  for (const Attention& undecided : pending.undecided)
    needs_person.push_back(
        {{"sentence", printable(undecided.sentence)}, {"next", printable(undecided.next)}});
  return {{"needs_person", std::move(needs_person)}, {"held", pending.held}};
}

void tell_nothing_pending(const Context& context, const PendingLook& look, Json json) {
  const std::vector<Diagnostic>& diagnostics = look.survey->diagnostics;
  if (context.json()) {
    json.update(to_json(look.pending));
    json["diagnostics"] = to_json(diagnostics);
    return print_json(json);
  }
  if (is_overlooked(*look.survey)) {
    print_line("nothing differs in what could be read, but not all could be: see the errors");
  } else if (look.pending.undecided.empty() && look.pending.held.empty()) {
    print_line("nothing differs; nothing to do");
  }
  print_diagnostics(diagnostics);
}

int plan_pending(Context& context, const RebindOptions& options) {
  auto found = look(context, context.history());
  if (!found) return report(found.error());
  const bool none = found->pending.pairs.empty();
  const bool judged = none && add_judged(*found, nullptr, found->pending);
  print_undecided(context, found->pending);
  if (none) {
    add_overlooked(*found->survey, found->pending);
    tell_nothing_pending(context, *found, {{"plans", Json::array()}});
    const bool differs = judged || found->pending.in_doubt || is_overlooked(*found->survey);
    return differs ? kDiffers : kDone;
  }
  auto prepared = prepare(context.host(), context.settings(), context.prober(), context.history(),
                          request_of(found->pending, context, options));
  if (!prepared) return report(prepared.error());
  return show_prepared(context, *prepared);
}

}  // namespace certrebind
