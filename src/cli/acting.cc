#include "cli/acting.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "transaction/file_swap.h"

namespace certrebind {

namespace {

constexpr milliseconds kPatience =
    std::chrono::seconds(30);  // waiting time for another certrebind process

int exit_of(const TransactionResult& account) {
  switch (account.outcome) {
    case Outcome::committed:
      return kDone;
    case Outcome::refused:
      return kDiffers;
    case Outcome::rolled_back:
      return kRolledBack;
    case Outcome::needs_operator:
      return kNeedsOperator;
  }
  return kNeedsOperator;
}

Colour colour_for(Outcome outcome) {
  if (outcome == Outcome::committed) return Colour::green;
  return outcome == Outcome::refused ? Colour::yellow : Colour::red;
}

}  // namespace

Result<std::unique_ptr<Acting>> Acting::begin(Context& context) {
  Host host = context.host();
  auto state = State::open_for_writing(host.files, context.settings(), kPatience);
  if (!state) return pass(state);
  std::unique_ptr<Acting> acting(new Acting(std::move(*state)));
  acting->journal_ = std::make_unique<Journal>(acting->state_.database(), host.clock);
  acting->context_.reset(new TransactionContext{.host = host,
                                                .settings = context.settings(),
                                                .state = acting->state_,
                                                .journal = *acting->journal_,
                                                .prober = context.prober(),
                                                .watcher = acting->watcher_});
  auto recovered = recover_all(*acting->context_);
  if (!recovered) return pass(recovered);
  acting->recovered_ = std::move(*recovered);
  if (!context.json()) print_accounts(acting->recovered_);
  Done pruned = prune_before_images(host.files, acting->state_, *acting->journal_,
                                    host.clock.wall(), context.settings().keep_days);
  if (!pruned) report(pruned.error());
  return acting;
}

int exit_of(const std::vector<TransactionResult>& accounts) {
  int worst = kDone;
  for (const TransactionResult& account : accounts) worst = std::max(worst, exit_of(account));
  return worst;
}

int print_accounts(const std::vector<TransactionResult>& accounts) {
  for (const TransactionResult& account : accounts) {
    std::string head = fmt::format("{}: {}", account.service.text(), to_text(account.outcome));
    if (account.transaction != 0) head += fmt::format(" (transaction {})", account.transaction);
    print_line(coloured(colour_for(account.outcome), head));
    for (const std::string& line : split(account.text, '\n')) print_line("  " + line);
  }
  return exit_of(accounts);
}

Json to_json(const std::vector<TransactionResult>& accounts) {
  Json all = Json::array();
  for (const TransactionResult& account : accounts) all.push_back(to_json(account));
  return all;
}

}  // namespace certrebind
