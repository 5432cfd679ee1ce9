#include "rebind/restore.h"

#include <memory>

#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "state/wake.h"

namespace certrebind {

namespace {

struct Options {
  std::string binding;
  std::string thumbprint;
};

int restore(Context& context, const Options& options) {
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  bool is_path = options.binding.find('/') != std::string::npos;
  auto accounts =
      restore_kept((*acting)->bench(), context.only(),
                   is_path ? absolute(options.binding) : options.binding, options.thumbprint);
  if (!accounts) return report(accounts.error());
  wake_daemon(context.host().files, context.settings());
  if (context.json()) {
    print_json({{"recovered", to_json((*acting)->recovered())}, {"accounts", to_json(*accounts)}});
    return exit_of(*accounts);
  }
  print_accounts((*acting)->recovered());
  return print_accounts(*accounts);
}

}  // namespace

void add_restore(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "restore", "bring back the certificate and key that were last proven at a binding");
  command
      ->add_option("binding", options->binding,
                   "the site, as certrebind scan shows it, or the path of its certificate")
      ->type_name("BINDING")
      ->required();
  command
      ->add_option("thumbprint", options->thumbprint,
                   "which of those kept; default: the newest that differs from what lies there")
      ->type_name("THUMBPRINT");
  command->footer(
      "The pair of every binding is kept once it is proven, by a rebind or by the daemon's audit:\n"
      "the last and the one before. What lies there now is replaced, tested and proven, and can "
      "be\n"
      "brought back by certrebind undo.\n"
      "Example:\n  certrebind restore www.example.com");
  command->callback(
      [&chosen, options] { chosen = [options](Context& c) { return restore(c, *options); }; });
}

}  // namespace certrebind
