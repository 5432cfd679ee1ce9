#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "acts/undo.h"
#include "base/text.h"
#include "cli/acting.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "lifecycle/attention.h"

namespace certrebind {

namespace {

constexpr milliseconds kLockPatience =
    std::chrono::seconds(30);  // waiting time for another certrebind process

int finish(Context& context, const Acting& acting, std::vector<TransactionResult> accounts) {
  note_outcomes(accounts);
  if (context.json()) {
    print_json({{"recovered", to_json(acting.recovered())}, {"accounts", to_json(accounts)}});
    return exit_of(accounts);
  }
  return print_accounts(accounts);
}

// A number is a transaction, also if a site has that name.
bool is_number(const std::string& typed) {
  return !typed.empty() && typed.find_first_not_of("-0123456789") == std::string::npos;
}

UndoRequest undo_request(const std::string& typed) {
  return is_number(typed) ? UndoRequest{.id = std::stoll(typed)} : UndoRequest{.site = typed};
}

int undo_one(Context& context, const std::string& typed) {
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  auto accounts = undo((*acting)->transaction_context(), context.only(), undo_request(typed));
  if (!accounts) return report(accounts.error());
  if (accounts->empty() && !context.json())
    print_line(
        "no rebind changed files and was not undone yet; nothing to do\n"
        "  a transaction that only reloaded a server cannot be undone: certrebind history");
  return finish(context, **acting, std::move(*accounts));
}

// To find damage, reads the whole database. The person who runs this has seen the attention entry.
Result<std::optional<Rebuilt>> mend_state(Context& context) {
  Host host = context.host();
  auto mended = State::mend(host.files, context.settings(), kLockPatience);
  if (!mended || *mended) return mended;
  auto database = State::open_beside(host.files, context.settings());
  if (!database) return pass(database);
  Done seen = set_attention(*database, "database", {}, host.clock.wall());
  if (!seen) return pass(seen);
  return mended;
}

int recover_now(Context& context) {
  auto mended = mend_state(context);
  if (!mended) return report(mended.error());
  if (*mended) {
    note_change();
    print_error(
        fmt::format("certrebind: the database was damaged: it is kept as {}, and a new one "
                    "was begun with {} that could be read",
                    (*mended)->kept, count_of((*mended)->rows, "row")));
    print_json({{"database_kept", (*mended)->kept}, {"rows_kept", (*mended)->rows}});
  }
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  if ((*acting)->recovered().empty() && !context.json())
    print_line("no transaction was interrupted; nothing to do");
  finish(context, **acting, {});
  return exit_of((*acting)->recovered()) == kNeedsOperator ? kNeedsOperator : kDone;
}

}  // namespace

CommandSpec undo_command() {
  auto typed = std::make_shared<std::string>();
  return {.name = "undo",
          .summary = "put back what a rebind replaced, as a transaction of its own, with proof",
          .options = {{"transaction", typed.get(),
                       "the transaction, from certrebind history, or a site: the last one that "
                       "concerned it, on each of its servers; default: the last that changed files",
                       "ID|SITE", Need::optional,
                       [](const std::string& word) {
                         return is_number(word) ? record_number(word) : "";
                       }}},
          .footer = "Examples:\n  certrebind undo 12\n  certrebind undo www.example.com",
          .run = [typed](Context& context) { return undo_one(context, *typed); }};
}

CommandSpec recover_command() {
  return {
      .name = "recover",
      .summary = "finish what an interrupted certrebind left: commit if served, restore otherwise",
      .footer =
          "Every command that acts does this first. This one also reads the whole database, and "
          "rebuilds\n"
          "it if it is damaged: the damaged one is kept aside.\n"
          "Example:\n  certrebind recover",
      .run = recover_now,
      .takes_services = false};
}

}  // namespace certrebind
