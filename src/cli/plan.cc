#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/rebind_options.h"
#include "cli/render_plan.h"

namespace certrebind {

namespace {

std::string as_path_or_thumbprint(const std::string& typed) {
  return is_path(typed) ? absolute(typed) : typed;
}

Result<Risks> accepted_by(const RebindOptions& options) {
  Risks accepted;
  for (const std::string& name : options.accepted) {
    auto risk = risk_named(name);
    if (!risk)
      return fail(Code::usage, "accept", printable(name), "there is no finding of this name",
                  "known names: " + all_risks());
    accepted.insert(*risk);
  }
  return accepted;
}

}  // namespace

std::vector<CommandOption> pair_options(RebindOptions& options) {
  return {{"certificates", &options.certificates,
           "OLD and NEW, as thumbprint, unique prefix of one, or path of a PEM file",
           "OLD NEW [OLD NEW ...]"},
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

Result<RebindRequest> request_of(const RebindOptions& options, const Context& context) {
  if (options.certificates.empty() || options.certificates.size() % 2 != 0)
    return fail(Code::usage, "pair the certificates", join(options.certificates, " "),
                "they come in pairs, OLD and NEW", "name them as OLD NEW [OLD NEW ...]");
  RebindRequest request;
  for (size_t i = 0; i < options.certificates.size(); i += 2) {
    RequestedPair pair{.old_one = as_path_or_thumbprint(options.certificates[i]),
                       .new_one = as_path_or_thumbprint(options.certificates[i + 1])};
    if (std::ranges::find(request.pairs, pair) == request.pairs.end())
      request.pairs.push_back(std::move(pair));
  }
  if (!options.key.empty() && request.pairs.size() > 1)
    return fail(Code::usage, "use --key", options.key, "it fits one pair only");
  if (!options.key.empty()) request.pairs.front().key_path = absolute(options.key);
  auto accepted = accepted_by(options);
  if (!accepted) return pass(accepted);
  for (RequestedPair& pair : request.pairs) pair.accepted = *accepted;
  request.preference = preference_of(options);
  request.only = context.only();
  return request;
}

int show_prepared(const Context& context, Prepared& prepared) {
  prepared.hear_doubts();
  if (context.json()) {
    print_json(to_json(prepared));
  } else {
    print_prepared(prepared);
    print_diagnostics(prepared.survey.diagnostics);
  }
  return prepared.refused() || prepared.overlooked() || prepared.exchanged ? kDiffers : kDone;
}

int plan_only(Context& context, const RebindOptions& options) {
  auto request = request_of(options, context);
  if (!request) return report(request.error());
  auto prepared =
      prepare(context.host(), context.settings(), context.asker(), context.history(), *request);
  if (!prepared) return report(prepared.error());
  return show_prepared(context, *prepared);
}

CommandSpec plan_command() {
  auto options = std::make_shared<RebindOptions>();
  return {.name = "plan",
          .summary = "what a rebind would do: diff, steps, findings; changes nothing",
          .options = rebind_options(*options),
          .footer = "Example:\n  certrebind plan 1a2b3c4d /root/new/fullchain.pem",
          .run = [options](Context& context) { return plan_only(context, *options); }};
}

}  // namespace certrebind
