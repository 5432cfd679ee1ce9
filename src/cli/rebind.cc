#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "acts/batch.h"
#include "base/text.h"
#include "cli/acting.h"
#include "cli/command_line.h"
#include "cli/pending.h"
#include "cli/rebind.h"
#include "cli/rebind_options.h"
#include "cli/render_plan.h"
#include "cli/typed_request.h"
#include "state/wake.h"

namespace certrebind {

namespace {

// A rebind of several servers changes those that nothing speaks against.
std::string refusal_text(const Service& service, const std::vector<TransactionResult>& accounts) {
  std::vector<std::string> changed;
  for (const TransactionResult& account : accounts)
    if (account.outcome == Outcome::committed && !account.taken_back)
      changed.push_back(account.service.text());
  if (changed.empty())
    return "refused: nothing was changed; the same certificates are still served";
  return fmt::format(
      "refused: {} was not changed, and serves the same certificates; {} was changed",
      service.id().text(), join(changed, ", "));
}

void print_result(const Prepared& prepared, const std::vector<TransactionResult>& accounts) {
  for (const Plan& plan : prepared.plans) {
    print_headlines(plan);
    print_findings(plan.findings);
    if (refuses(plan.findings)) print_line(refusal_text(*plan.request.service, accounts));
  }
  print_accounts(accounts);
  print_idle(prepared);
}

// Who wants it: a person, or certrebind itself, which found the differences. Then a refusal becomes
// an entry that needs attention.
enum class Wanted { by_person, by_itself };

// Plans, executes and reports. `look`: where the pairs were found; null if all were typed.
int act_on(Context& context, const Acting& acting, const RebindRequest& request, PendingLook* look,
           Wanted wanted) {
  Pending* pending = wanted == Wanted::by_itself ? &look->pending : nullptr;
  const TransactionContext& acts = acting.transaction_context();
  auto history = read_history(acts.state.database(), acts.journal);
  if (!history) return report(history.error());
  auto prepared =
      look == nullptr
          ? prepare(context.host(), context.settings(), context.asker(), *history, request)
          : prepare_pending(context.looking(), *history, *look, request.preference,
                            wanted == Wanted::by_itself);
  if (!prepared) return report(prepared.error());
  // All pending differences were already recorded, including those that a policy excludes.
  Result<bool> noted = false;
  if (pending == nullptr)
    noted = remember_survey(acts.state.database(), prepared->survey, false, acts.host.clock.wall());
  if (!noted) return report(noted.error());
  Database& database = acts.state.database();
  WallTime now = acts.host.clock.wall();
  Done told = pending == nullptr ? log_declared(database, *prepared, now)
                                 : log_found(database, *prepared, now);
  if (!told) return report(told.error());
  std::vector<TransactionResult> accounts = carry_out_all(acts, *prepared);
  if (pending == nullptr) told = make_standing(database, *prepared, accounts, now);
  prepared->hear_doubts();
  bool judged = false;
  if (pending != nullptr) {
    const size_t told_before = pending->undecided.size();
    judged = add_judged(*look, &*prepared, *pending);
    if (!context.json())
      for (size_t i = told_before; i < pending->undecided.size(); ++i)
        print_line("needs a person: " + printable(pending->undecided[i].sentence));
    add_refused(*prepared, *pending);
    add_failed(accounts, *pending);
    add_overlooked(prepared->survey, *pending);
    told = note_undecided(database, *pending, acts.host.clock.wall());
  }
  if (!told) return report(told.error());
  wake_daemon(context.host().files, context.settings());
  note_outcomes(accounts);
  note_refusal(*prepared);
  if (pending != nullptr) note_undecided(*pending);
  if (context.json()) {
    Json json = to_json(*prepared);
    json["recovered"] = to_json(acting.recovered());
    json["accounts"] = to_json(accounts);
    if (look != nullptr) json.update(to_json(look->pending));
    print_json(json);
  } else {
    print_result(*prepared, accounts);
    print_diagnostics(prepared->survey.diagnostics);
  }
  bool differs =
      pending == nullptr
          ? prepared->refused() || prepared->overlooked() || prepared->exchanged
          : judged || pending->in_doubt || prepared->refused() || is_overlooked(prepared->survey);
  return std::max<int>(exit_of(accounts), differs ? kDiffers : kDone);
}

int rebind_pending(Context& context, const RebindOptions& options) {
  if (!options.certificates.empty())
    return report({Code::usage,
                   "rebind",
                   join(options.certificates, " "),
                   "--pending finds OLD and NEW itself",
                   {}});
  if (!options.key.empty())
    return report({Code::usage, "rebind", options.key, "--pending finds the keys itself", {}});
  if (!options.accepted.empty())
    return report({Code::usage, "rebind", join(options.accepted, " "), "--accept needs OLD and NEW",
                   "name the two certificates that you accept"});
  if (options.dry_run) return plan_pending(context, options);
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  Database& database = (*acting)->transaction_context().state.database();
  auto surveyed =
      look_for_pending(context.looking(), database, (*acting)->transaction_context().journal);
  if (!surveyed) return report(surveyed.error());
  const bool none = surveyed->pending.pairs.empty();
  const bool judged = none && add_judged(*surveyed, nullptr, surveyed->pending);
  print_undecided(context, surveyed->pending);
  if (none) {
    add_overlooked(surveyed->survey, surveyed->pending);
    note_undecided(surveyed->pending);
    tell_nothing_pending(context, *surveyed, {{"accounts", to_json((*acting)->recovered())}});
    Done noted = note_undecided(database, surveyed->pending, context.host().clock.wall());
    if (!noted) return report(noted.error());
    const bool differs = judged || surveyed->pending.in_doubt || is_overlooked(surveyed->survey);
    return std::max<int>(exit_of((*acting)->recovered()), differs ? kDiffers : kDone);
  }
  RebindRequest request;
  request.preference = preference_of(options);
  return act_on(context, **acting, request, &*surveyed, Wanted::by_itself);
}

int rebind_sites(Context& context, const Acting& acting, const TypedRequest& request) {
  const TransactionContext& acts = acting.transaction_context();
  auto history = read_history(acts.state.database(), acts.journal);
  if (!history) return report(history.error());
  auto sites = find_sites(context, *history, request);
  if (!sites) return report(sites.error());
  Json json = {{"plans", Json::array()},
               {"recovered", to_json(acting.recovered())},
               {"accounts", Json::array()}};
  if (auto code = tell_no_pair(context, *sites, std::move(json)))
    return std::max(exit_of(acting.recovered()), *code);
  const int code = act_on(context, acting, request.rebind, &sites->found.look, Wanted::by_person);
  return std::max<int>(code, sites->differs ? kDiffers : kDone);
}

int rebind(Context& context, const RebindOptions& options) {
  if (options.pending) return rebind_pending(context, options);
  if (options.dry_run) return plan_only(context, options);
  auto request = request_of(options, context);
  if (!request) return report(request.error());
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  if (!request->sites.empty()) return rebind_sites(context, **acting, *request);
  return rebind_pairs(context, **acting, request->rebind);
}

}  // namespace

int rebind_pairs(Context& context, const Acting& acting, const RebindRequest& request) {
  return act_on(context, acting, request, nullptr, Wanted::by_person);
}

CommandSpec rebind_command() {
  auto options = std::make_shared<RebindOptions>();
  std::vector<CommandOption> all = rebind_options(*options);
  all.push_back({"--pending", &options->pending,
                 "no OLD and NEW: look at what is configured, on disk and served, and put right "
                 "what differs"});
  all.push_back({"--dry-run", &options->dry_run, "the same as plan"});
  return {
      .name = "rebind",
      .summary = "make every site that serves OLD serve NEW: proven by handshakes, or rolled back",
      .options = std::move(all),
      .footer =
          "SITE stands for what the site serves (OLD) and what is newer for it on disk (NEW).\n"
          "The same certificate as OLD and NEW forces a reload with proof.\n"
          "Examples:\n  certrebind rebind www.example.com\n"
          "  certrebind rebind 1a2b3c4d /root/new/fullchain.pem --key /root/new/key.pem",
      .run = [options](Context& context) { return rebind(context, *options); }};
}

}  // namespace certrebind
