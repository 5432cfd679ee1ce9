#include <algorithm>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/rebind_options.h"
#include "cli/render_plan.h"

namespace certrebind {

namespace {

std::string as_path_or_thumbprint(const std::string& typed) {
  return is_path(typed) ? absolute(typed) : typed;
}

}  // namespace

void add_pair_options(CLI::App& command, RebindOptions& options) {
  command
      .add_option("certificates", options.certificates,
                  "OLD and NEW, as thumbprint, unique prefix of one, or path of a PEM file")
      ->type_name("OLD NEW [OLD NEW ...]");
  command.add_option("--key", options.key, "the private key of NEW, if it does not lie beside it")
      ->type_name("FILE");
}

void add_rebind_options(CLI::App& command, RebindOptions& options) {
  add_pair_options(command, options);
  auto* repoint =
      command.add_flag("--repoint", options.repoint, "make the directives name NEW's files");
  command.add_flag("--rewrite", options.rewrite, "put NEW into the files that are bound now")
      ->excludes(repoint);
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
  if (options.repoint) request.preference = Preference::repoint;
  if (options.rewrite) request.preference = Preference::rewrite;
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
  return prepared.refused() || prepared.overlooked() ? kDiffers : kDone;
}

int plan_only(Context& context, const RebindOptions& options) {
  auto request = request_of(options, context);
  if (!request) return report(request.error());
  auto prepared =
      prepare(context.host(), context.settings(), context.prober(), context.memory(), *request);
  if (!prepared) return report(prepared.error());
  return show_prepared(context, *prepared);
}

void add_plan(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<RebindOptions>();
  CLI::App* command =
      app.add_subcommand("plan", "what a rebind would do: diff, steps, findings; changes nothing");
  add_rebind_options(*command, *options);
  command->footer("Example:\n  certrebind plan 1a2b3c4d /root/new/fullchain.pem");
  command->callback(
      [&chosen, options] { chosen = [options](Context& c) { return plan_only(c, *options); }; });
}

}  // namespace certrebind
