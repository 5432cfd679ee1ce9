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

// The lines of the account: what happened, what is served now, `next:` and what follows it.
Failure failure_of(const TransactionResult& account) {
  Failure failure{.message = account.service.text() + ": " + to_text(account.outcome)};
  bool is_next = false;
  std::vector<std::string> served, next;
  for (const std::string& line : split(account.text, '\n')) {
    const std::string text(trim(line));
    if (text.starts_with("next:")) is_next = true;
    (is_next ? next : served).push_back(is_next && next.empty() ? text.substr(5) : text);
  }
  if (!served.empty()) failure.message += ": " + served.front();
  if (served.size() > 1) failure.served = join({served.begin() + 1, served.end()}, "; ");
  failure.next = trim(join(next, "\n"));
  return failure;
}

Colour colour_for(Outcome outcome) {
  if (outcome == Outcome::committed) return Colour::green;
  return outcome == Outcome::refused ? Colour::yellow : Colour::red;
}

// What was interrupted was finished or taken back: both change files or servers.
void note_recovered(const TransactionResult& account) {
  note_change();
  if (account.outcome == Outcome::needs_operator) note_failure(failure_of(account));
}

}  // namespace

void note_outcomes(const std::vector<TransactionResult>& accounts) {
  for (const TransactionResult& account : accounts) {
    const bool ran = account.transaction != 0;
    if (ran && account.outcome == Outcome::committed) note_change();
    if (account.outcome == Outcome::needs_operator) note_change();
    if (account.outcome != Outcome::committed) note_failure(failure_of(account));
  }
}

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
  for (const TransactionResult& account : acting->recovered_) note_recovered(account);
  if (!context.json()) print_accounts(acting->recovered_);
  Done pruned = prune_before_images(host.files, acting->state_, *acting->journal_,
                                    host.clock.wall(), context.settings().keep_days);
  if (!pruned) warn(pruned.error());
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
