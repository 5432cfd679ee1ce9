#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/rebind_options.h"
#include "cli/render_plan.h"
#include "cli/typed_request.h"
#include "survey/policy.h"
#include "sys/day_time.h"

namespace certrebind {

std::vector<CommandOption> pair_options(RebindOptions& options) {
  return {{"certificates", &options.certificates,
           "a site, whose OLD and NEW are found, or OLD and NEW: thumbprint, unique prefix of one, "
           "or path of a PEM file; a file or thumbprint comes before a site of the same spelling",
           "SITE [NEW] | OLD NEW ..."},
          {"--key", &options.key, "the private key of NEW, if it does not lie beside it", "FILE"},
          {"--accept", &options.accepted,
           "go on although NEW is worse in this: " + all_risks() + " (repeatable)", "NAME"}};
}

std::vector<CommandOption> rebind_options(RebindOptions& options) {
  std::vector<CommandOption> all = pair_options(options);
  all.push_back({"--repoint", &options.repoint, "make the directives name NEW's files"});
  all.push_back({.name = "--rewrite",
                 .target = &options.rewrite,
                 .help = "put NEW into the files that are bound now",
                 .excludes = "--repoint"});
  return all;
}

Preference preference_of(const RebindOptions& options) {
  if (options.repoint) return Preference::repoint;
  return options.rewrite ? Preference::rewrite : Preference::automatic;
}

namespace {

int exit_of(const std::vector<DryTest>& tests) {
  int worst = kDone;
  for (const DryTest& test : tests) {
    if (test.outcome == DryOutcome::refused) worst = std::max<int>(worst, kDiffers);
    if (test.outcome == DryOutcome::would_roll_back) worst = std::max<int>(worst, kRolledBack);
  }
  return worst;
}

}  // namespace

namespace {

// A person's rebind does not wait; certrebind by itself does.
void print_windows(const Settings& settings, const Prepared& prepared, WallTime now) {
  std::set<std::string> told;
  for (const Plan& plan : prepared.plans)
    for (const PlannedBinding& planned : plan.bindings) {
      const Policy* policy = policy_for(settings, *planned.bound);
      auto window = parse_window(policy == nullptr ? "" : policy->window);
      if (window && !is_open(*window, now) && told.insert(policy->window).second)
        print_line("by itself, certrebind waits for the window " + opening_text(*window, now));
    }
}

}  // namespace

namespace {

void note_failed(const std::vector<DryTest>& tests) {
  for (const DryTest& test : tests)
    if (exit_of({test}) != kDone)
      return note_failure({.message = test.service.text() + ": " + joined_lines(test.text),
                           .next = "certrebind check"});
}

}  // namespace

int show_prepared(Context& context, Prepared& prepared) {
  const std::vector<DryTest> tests = test_plans(context.host(), prepared);
  prepared.hear_doubts();
  note_refusal(prepared);
  note_failed(tests);
  if (context.json()) {
    Json json = to_json(prepared);
    json["tests"] = to_json(tests);
    print_json(json);
  } else {
    print_prepared(prepared);
    print_tests(tests);
    print_windows(context.settings(), prepared, context.host().clock.wall());
    print_diagnostics(prepared.survey.diagnostics);
  }
  const bool differs = prepared.refused() || prepared.overlooked() || prepared.exchanged;
  return std::max<int>(exit_of(tests), differs ? kDiffers : kDone);
}

namespace {

int plan_sites(Context& context, const TypedRequest& request) {
  auto sites = find_sites(context, context.history(), request);
  if (!sites) return report_lookup(context, sites.error());
  if (auto code = tell_no_pair(context, *sites, {{"plans", Json::array()}})) return *code;
  auto prepared = prepare_pending(context.looking(), context.history(), sites->found.look,
                                  request.rebind.preference, false);
  if (!prepared) return report(prepared.error());
  return std::max<int>(show_prepared(context, *prepared), sites->differs ? kDiffers : kDone);
}

}  // namespace

int plan_only(Context& context, const RebindOptions& options) {
  auto request = request_of(options, context);
  if (!request) return report(request.error());
  if (!request->sites.empty()) return plan_sites(context, *request);
  auto prepared = prepare(context.host(), context.settings(), context.asker(), context.history(),
                          request->rebind);
  if (!prepared) return report_lookup(context, prepared.error());
  return show_prepared(context, *prepared);
}

CommandSpec plan_command() {
  auto options = std::make_shared<RebindOptions>();
  return {.name = "plan",
          .summary = "what a rebind would do: diff, steps, findings; changes nothing",
          .options = rebind_options(*options),
          .footer =
              "Examples:\n  certrebind plan www.example.com\n  certrebind plan 1a2b3c4d "
              "/root/new/fullchain.pem",
          .run = [options](Context& context) { return plan_only(context, *options); }};
}

}  // namespace certrebind
