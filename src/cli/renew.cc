#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "acts/inventory.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/renewal.h"

namespace certrebind {

namespace {

struct RenewOptions {
  std::string typed;
  bool dry_run = false;
  bool force = false;
};

bool is_same(const Lineage& one, const Lineage& other) {
  return one.renewer == other.renewer && one.certificate_path == other.certificate_path;
}

std::unexpected<Error> nobody(const std::string& typed) {
  return fail(Code::failed, "renew", typed, "nobody renews it: it lies in no renewer's directory",
              "renew it by hand and run certrebind rebind, or name its directory and the command "
              "that renews it as [[store]] with `renew`");
}

// The text typed must identify one lineage, at one or more paths.
Result<Lineage> lineage_meant(const std::vector<InventoryItem>& items, const std::string& typed) {
  std::vector<const Lineage*> meant;
  bool is_known = false;
  for (const InventoryItem& item : items) {
    bool by_name = item.renewer && item.renewer->name == typed;
    if (!by_name && !is_meant(item, typed)) continue;
    is_known = true;
    if (!item.renewer) continue;
    // The name of a lineage takes precedence over the same name in another certificate.
    if (by_name && (meant.empty() || meant.front()->name != typed)) meant.clear();
    if (!by_name && !meant.empty() && meant.front()->name == typed) continue;
    if (std::ranges::none_of(meant, [&](const Lineage* l) { return is_same(*l, *item.renewer); }))
      meant.push_back(&*item.renewer);
  }
  if (!is_known)
    return fail(Code::not_found, "find the certificate", typed,
                "no stored or bound certificate has this name, thumbprint or path",
                "certrebind certificates");
  if (meant.empty()) return nobody(typed);
  if (meant.size() == 1) return *meant.front();
  std::vector<std::string> paths;
  for (const Lineage* lineage : meant) paths.push_back(printable(lineage->certificate_path));
  return fail(Code::usage, "renew", typed, "several certificates fit: " + join(paths, ", "),
              "name one by its path");
}

int show_command(Context& context, const Lineage& lineage, bool force) {
  bool forced = force && !lineage.renew_now.empty();
  std::string line =
      forced ? renewal_command(lineage, true).text() : printable(lineage.command_text);
  if (context.json()) {
    print_json({{"renewer", printable(lineage.renewer)},
                {"lineage", printable(lineage.name)},
                {"would_run", printable(line)}});
  } else {
    print_whole("would run: " + printable(line) + "\n");
  }
  return kDone;
}

int run(Context& context, Host& host, const Lineage& lineage, bool force) {
  if (force && lineage.renew_now.empty())
    print_error("certrebind: " + lineage.renewer +
                " cannot be told here to renew what is not due: it is asked without");
  if (!context.json())
    print_error(fmt::format("{} renews {}: {}", printable(lineage.renewer), printable(lineage.name),
                            printable(lineage.command_text)));
  auto renewal = run_renewer(host, lineage, force);
  if (!renewal) return std::min<int>(report(renewal.error()), kDiffers);
  if (context.json()) {
    print_json(to_json(lineage, *renewal));
  } else {
    print_whole(renewal->ran.output);
    print_line(outcome_text(lineage, *renewal));
  }
  if (renewal->is_new) {
    note_change();
    return kDone;
  }
  note_failure({.message = outcome_text(lineage, *renewal),
                .next = "certrebind renew --dry-run shows the command"});
  bool was_due = force || (lineage.due && *lineage.due <= host.clock.wall());
  if (renewal->undue && !was_due && !context.json() && !lineage.renew_now.empty())
    print_line("  it is not due yet; --force renews it all the same");
  return renewal->undue && !was_due ? kDone : kDiffers;
}

int renew(Context& context, const RenewOptions& options) {
  Host host = context.host();
  auto surveyed = survey(host, context.only());
  if (!surveyed) return report(surveyed.error());
  context.remember(*surveyed);
  std::vector<InventoryItem> items = take_inventory(host.files, context.settings(), *surveyed);
  bool is_path = options.typed.find('/') != std::string::npos;
  auto lineage = lineage_meant(items, is_path ? absolute(options.typed) : options.typed);
  if (!lineage) return report_lookup(context, lineage.error());
  if (lineage->renew.empty())
    return report({Code::failed, "renew", lineage->name, lineage->no_command, ""});
  if (options.dry_run) return show_command(context, *lineage, options.force);
  return run(context, host, *lineage, options.force);
}

}  // namespace

CommandSpec renew_command() {
  auto options = std::make_shared<RenewOptions>();
  return {
      .name = "renew",
      .summary = "run the renewer that owns a certificate",
      .options = {{"certificate", &options->typed, "a name, a thumbprint (or its prefix), a path",
                   "NAME|THUMBPRINT|PATH", Need::required},
                  {"--force", &options->force, "also if the renewer does not find it due"},
                  {"--dry-run", &options->dry_run, "only show what would be run"}},
      .footer = "Example:\n  certrebind renew www.example.com",
      .run = [options](Context& context) { return renew(context, *options); }};
}

}  // namespace certrebind
