#include "acts/restore.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/acting.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "state/wake.h"

namespace certrebind {

namespace {

struct RestoreOptions {
  std::string binding;
  std::string thumbprint;
  bool list = false;
};

int list(Context& context, const std::string& binding) {
  auto kept = kept_for(context.host(), context.settings(), context.only(), binding);
  if (!kept) return report_lookup(context, kept.error());
  WallTime now = context.host().clock.wall();
  Json all = Json::array();
  for (const KeptPair& pair : kept->kept.pairs) {
    const Certificate& leaf = pair.bundle.leaf;
    if (context.json())
      all.push_back(to_json(leaf.outline, leaf.der, now));
    else
      print_line(fmt::format("{}  {}  expires {}", leaf.outline.thumbprint.brief(),
                             printable(leaf.outline.subject),
                             expiry_text(leaf.outline.not_after, now)));
  }
  if (context.json())
    print_json({{"path", printable(kept->path)},
                {"kept", std::move(all)},
                {"damaged", kept->kept.damaged}});
  else if (kept->kept.pairs.empty())
    print_line("nothing was kept for " + printable(kept->path) + " yet");
  if (!context.json())
    for (const std::string& damaged : kept->kept.damaged)
      print_line("damaged, and passed over: " + printable(damaged));
  return kDone;
}

int restore(Context& context, const RestoreOptions& options) {
  bool is_path = options.binding.find('/') != std::string::npos;
  const std::string binding = is_path ? absolute(options.binding) : options.binding;
  if (options.list && !options.thumbprint.empty())
    return report(
        {Code::usage, "restore", options.thumbprint, "--list shows all that is kept", {}});
  if (options.list) return list(context, binding);
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  auto restored =
      restore_kept((*acting)->transaction_context(), context.only(), binding, options.thumbprint);
  if (!restored) return report(restored.error());
  wake_daemon(context.host().files, context.settings());
  note_outcomes(restored->accounts);
  if (context.json()) {
    print_json({{"recovered", to_json((*acting)->recovered())},
                {"accounts", to_json(restored->accounts)},
                {"idle", restored->idle}});
    return exit_of(restored->accounts);
  }
  if (!restored->idle.empty()) print_line(restored->idle + "; nothing to do");
  if (!restored->next.empty()) print_line("  next: " + restored->next);
  return print_accounts(restored->accounts);
}

}  // namespace

CommandSpec restore_command() {
  auto options = std::make_shared<RestoreOptions>();
  return {
      .name = "restore",
      .summary = "bring back the certificate and key that were last proven at a binding",
      .options = {{"binding", &options->binding,
                   "the site, as certrebind scan shows it, or the path of its certificate",
                   "BINDING", Need::required},
                  {"thumbprint", &options->thumbprint,
                   "which of those kept; default: the last that was proven", "THUMBPRINT"},
                  {"--list", &options->list, "show what is kept for it, newest first, and end"}},
      .footer =
          "The pair of every binding is kept once it is proven, by a rebind or by the daemon's "
          "audit:\n"
          "the last and the one before, unless it has expired. What lies there now is replaced, "
          "with\n"
          "test and proof; if it was a certificate with its key, certrebind undo brings it back.\n"
          "Example:\n  certrebind restore www.example.com",
      .run = [options](Context& context) { return restore(context, *options); }};
}

}  // namespace certrebind
