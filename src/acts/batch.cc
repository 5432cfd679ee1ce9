#include "acts/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "acts/keep_proven.h"
#include "acts/undo.h"

namespace certrebind {

namespace {

// Carries out the plans one by one, and records which transaction wrote each file.
class Batch {
 public:
  Batch(const TransactionContext& context, const Prepared& prepared)
      : context_(context), prepared_(prepared) {}

  void carry_out(const Plan& plan);
  std::vector<TransactionResult> accounts() && { return std::move(accounts_); }

 private:
  TransactionRequest work_of(const Plan& plan) const;
  std::set<int64_t> writers_of(const Plan& plan) const;
  const ServiceId* who_failed(const Plan& plan) const;

  const TransactionContext& context_;
  const Prepared& prepared_;
  std::vector<TransactionResult> accounts_;
  std::map<std::string, int64_t> written_;   // path: the transaction that wrote it
  std::map<std::string, ServiceId> failed_;  // path: the server that failed to load it
};

// A file that an earlier service of this run has written is only loaded.
TransactionRequest Batch::work_of(const Plan& plan) const {
  TransactionRequest work = plan.request;
  std::erase_if(work.files, [&](const PlannedFile& file) {
    if (!written_.contains(file.path)) return false;
    auto now = context_.host.files.read(file.path, kConfigLimit);
    return now && *now == file.after;
  });
  return work;
}

std::set<int64_t> Batch::writers_of(const Plan& plan) const {
  std::set<int64_t> writers;
  for (const PlannedFile& file : plan.request.files)
    if (auto writer = written_.find(file.path); writer != written_.end())
      writers.insert(writer->second);
  return writers;
}

const ServiceId* Batch::who_failed(const Plan& plan) const {
  for (const PlannedFile& file : plan.request.files)
    if (auto failed = failed_.find(file.path); failed != failed_.end()) return &failed->second;
  return nullptr;
}

void Batch::carry_out(const Plan& plan) {
  if (const ServiceId* other = who_failed(plan)) {
    accounts_.push_back({.service = plan.request.service->id(),
                         .outcome = Outcome::refused,
                         .text = fmt::format("refused: it shares files with {}, which did not load "
                                             "them\nnothing was changed; the same certificates are "
                                             "still served",
                                             other->text())});
    return;
  }
  const std::set<int64_t> writers = writers_of(plan);
  TransactionRequest work = work_of(plan);
  if (accounts_.empty()) {  // nothing was changed yet, so the test is valid for the current files
    work.tested = prepared_.tests.of(*plan.request.service);
    prepared_.tests.await_others(*plan.request.service);
  }
  const std::vector<PlannedFile> files = work.files;
  auto done = certrebind::carry_out(context_, std::move(work));
  TransactionResult account = done ? std::move(*done)
                                   : TransactionResult{.service = plan.request.service->id(),
                                                       .outcome = Outcome::needs_operator,
                                                       .text = done.error().message()};
  if (account.outcome == Outcome::committed) {
    if (!account.owed) tell_if_not(keep_planned(context_.host, context_.settings, plan), account);
    for (const PlannedFile& file : files) written_[file.path] = account.transaction;
    accounts_.push_back(std::move(account));
    return;
  }
  for (const PlannedFile& file : plan.request.files)
    failed_.emplace(file.path, plan.request.service->id());
  const size_t place = accounts_.size();
  accounts_.push_back(account);
  // This service does not load what another one wrote: so it is undone there too.
  for (int64_t writer : writers) take_back(context_, writer, account, accounts_);
  accounts_[place] = std::move(account);
}

}  // namespace

std::vector<TransactionResult> carry_out_all(const TransactionContext& context,
                                             const Prepared& prepared) {
  Batch batch(context, prepared);
  for (const Plan& plan : prepared.plans)
    if (!plan.does_nothing()) batch.carry_out(plan);
  return std::move(batch).accounts();
}

}  // namespace certrebind
