#include <memory>

#include "cli/acting.h"
#include "cli/commands.h"

namespace certrebind {

namespace {

int finish(Context& context, const Acting& acting, std::vector<Account> accounts) {
  if (context.json()) {
    print_json({{"recovered", to_json(acting.recovered())}, {"accounts", to_json(accounts)}});
    return exit_of(accounts);
  }
  print_accounts(acting.recovered());
  return print_accounts(accounts);
}

int undo_one(Context& context, int64_t id) {
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  auto account = undo((*acting)->bench(), context.only(), id);
  if (!account) return report(account.error());
  return finish(context, **acting, {std::move(*account)});
}

int recover_now(Context& context) {
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  if ((*acting)->recovered().empty() && !context.json())
    print_line("no transaction was interrupted; nothing to do");
  finish(context, **acting, {});
  return exit_of((*acting)->recovered()) == kNeedsOperator ? kNeedsOperator : kDone;
}

}  // namespace

void add_undo(CLI::App& app, Invocation& chosen) {
  auto id = std::make_shared<int64_t>(0);
  CLI::App* command = app.add_subcommand(
      "undo", "put back what a rebind replaced, as a transaction of its own, with proof");
  command
      ->add_option("id", *id, "the transaction, from certrebind history; default: the last rebind")
      ->type_name("ID")
      ->check(CLI::PositiveNumber);
  command->footer("Example:\n  certrebind undo 12");
  command->callback([&chosen, id] { chosen = [id](Context& c) { return undo_one(c, *id); }; });
}

void add_recover(CLI::App& app, Invocation& chosen) {
  CLI::App* command = app.add_subcommand(
      "recover", "finish what an interrupted certrebind left: commit if served, restore otherwise");
  command->footer(
      "Every command that acts does this first; this one does nothing else.\n"
      "Example:\n  certrebind recover");
  command->callback([&chosen] { chosen = recover_now; });
}

}  // namespace certrebind
