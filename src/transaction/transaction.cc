// Carries out one transaction, and finishes one that a crash interrupted.
//
// `run` goes through these steps, each marked in the journal before it begins:
//   prepare  decide between socket and reload; stage the files; save their before-images
//   swap     replace the whole set of files at one instant
//   try_out  wait for the server's own test of what is on disk, and for its rehearsal
//   tell     send the content over the control socket, or the reload signal
//   verify   prove by handshakes that the new certificate is served; then commit
//
// If the server is not running, it commits after `try_out`, and the proof is owed.
//
// Up to `swap` a failure ends as *refused*, and nothing was changed. After `swap` every failure
// goes through `restore`: it puts the old files back and, if the server may have loaded the new
// ones, makes it load the old ones and proves that (`settle`). If that cannot be proven, the
// transaction ends as *needs operator*.
//
// The test comes after the swap, and runs only once, because it takes as long as the server needs
// to read everything. Only if it fails, the old files are restored and tested too: if they do not
// pass either, the configuration was broken before (`refuse_if_broken_before`).
//
// `recover` starts from the phase that the journal holds: it commits if the new certificate is
// served, else it restores. If the journal cannot be written, nothing more is done and the
// transaction stays open (`cannot_note`).
#include "transaction/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <ranges>

#include "base/append.h"
#include "base/text.h"
#include "lifecycle/attention.h"
#include "store/on_disk.h"
#include "survey/policy.h"
#include "sys/rights.h"
#include "transaction/candidate_check.h"
#include "transaction/endpoints.h"
#include "transaction/error_log.h"
#include "transaction/file_swap.h"
#include "transaction/reloader.h"

namespace certrebind {

namespace {

constexpr size_t kFailuresTold = 5;
constexpr milliseconds kWithoutTest = std::chrono::seconds(60);

constexpr const char* kUntouched = "nothing was changed; the same certificates are still served";
constexpr const char* kBroken =
    "the server's configuration test already fails without the new certificate; it says:";
constexpr const char* kMend =
    "repair the configuration, then run the command again; until then no reload can succeed";

std::string listed(const char* what, const std::vector<std::string>& each) {
  constexpr size_t kTold = 5;
  std::string text = what;
  for (size_t i = 0; i < each.size() && i < kTold; ++i) text += "\n  " + each[i];
  if (each.size() > kTold) text += fmt::format("\n  and {} more", each.size() - kTold);
  return text;
}

std::string story_of(const std::vector<ForeignListener>& foreign) {
  std::vector<std::string> texts;
  for (const ForeignListener& each : foreign)
    texts.push_back(each.text() + "\n    next: " + each.next());
  return listed("other processes also take connections at the server's addresses:", texts);
}

// For a person to paste.
std::string how_to_reload(const Reload& how) {
  if (!how.restart_only.empty()) return "\n  restart the server: " + how.restart_only;
  std::string text;
  if (how.commands)
    for (const Command& command : how.commands->commands) text += "\n  " + command.text();
  if (how.socket)
    text += "\n  have the server load its files again, over " + how.socket->address.text();
  if (how.signal && how.signal->signal != 0)
    text += fmt::format("\n  kill -{} {}", how.signal->name, how.signal->pid);
  return text;
}

std::string random_token() {
  std::random_device random;
  return fmt::format("{:08x}", random());
}

// Runs one transaction from its row to its end.
class Transaction {
 public:
  Transaction(const TransactionContext& context, const Service* service, TransactionRow row)
      : context_(context),
        service_(service),
        row_(std::move(row)),
        reloader_(service, context.host),
        candidate_(service, context.host, reloader_.loadable()),
        theirs_(row_.record.files_of == 0 ? nullptr : files_seen_by(row_.record.files_of)),
        swap_(theirs_ ? *theirs_ : context.host.files, context.host.files, context.state,
              context.journal, row_),
        endpoints_(context, row_.record) {
    reloader_.before_reload([this] { endpoints_.ask_the_others(); });
  }

  Result<TransactionResult> run(const TransactionRequest& work);
  Result<TransactionResult> recover();

 private:
  // The result of one step of `run`: empty to go on, or the result that ends the transaction.
  using Step = std::optional<Result<TransactionResult>>;

  Step prepare(const TransactionRequest& work);
  void ask_beside_the_test(const TransactionRequest& work);
  std::vector<ForeignListener> foreign() const;
  Step swap();
  Step try_out(const TransactionRequest& work);
  Step restore_unless_passed(const Result<CommandOutput>& tested, const char* why);
  Step refuse_if_broken_before(const std::string& served);
  Step tell();
  Result<TransactionResult> verify();
  Step test_what_is_served();
  Step restore_if_doubtful();
  Step restore_unless_loaded();
  std::vector<std::string> certificates_to_load() const;
  Result<TransactionResult> commit_without_proof();

  Result<TransactionResult> refuse(const std::string& why, const std::string& next,
                                   const std::string& now = kUntouched);
  std::vector<EventId> events_of_restore() const;
  Result<TransactionResult> restore(const std::string& why);
  Result<TransactionResult> commit(const Verdict& verdict);
  Result<TransactionResult> give_up_reload(const std::string& why);
  Result<TransactionResult> needs_operator(const std::string& why, const std::string& served);
  Result<TransactionResult> end(Ending ending);
  Result<TransactionResult> leave_open(std::string text);
  Result<TransactionResult> cannot_note(const std::string& story, const Error& error);
  std::string named(const std::vector<std::string>& failures) const;
  std::string on_disk() const;
  Done note_stuck(Outcome outcome);

  ProofLimits limits(milliseconds deadline) const;
  bool may_be_loaded();
  milliseconds patience() const;
  Step settle(const std::string& story, std::string& served);
  bool is_rebind() const { return row_.act == Act::rebind; }
  // Before a server loads new files, we ask which endpoints answer. After a failure (`mends`) that
  // would tell nothing.
  bool is_asked(const TransactionRequest& work) const {
    return reloader_.is_running() && !work.mends;
  }
  // Whoever reads its files for each connection may show the new ones, or fail with them, as soon
  // as they are there. Others are asked after the swap, beside the test of the new files.
  bool asks_before_the_swap(const TransactionRequest& work) const {
    return work.files.empty() || (service_ && service_->reload().per_connection);
  }
  const char* wanted() const {
    return is_rebind() ? "the new certificate" : "the restored certificate";
  }
  Done mark(Phase phase);

  const TransactionContext& context_;
  const Service* service_;
  TransactionRow row_;
  Reloader reloader_;
  CandidateCheck candidate_;
  std::unique_ptr<Files> theirs_;  // the files as their owner sees them; null: as we do
  FileSwap swap_;
  Endpoints endpoints_;
  std::optional<ErrorLog> log_;
  std::vector<std::string> unproven_;
  bool test_failed_ = false;      // the server's own test rejected the new files
  bool signalled_ = false;        // the server was told to reload, or may have been before a crash
  bool some_are_silent_ = false;  // before the change, which the record in the journal must say
  bool after_crash_ = false;      // this process finishes what another one began
};

Done Transaction::mark(Phase phase) {
  context_.watcher.phase(row_.service, phase);
  return context_.journal.mark(row_, phase);
}

milliseconds Transaction::patience() const {
  // How long a reload takes is not known without a test of the server's own.
  const bool is_tested = !service_ || service_->config_test();
  const milliseconds may_cache = service_ ? service_->reload().may_cache : milliseconds(0);
  return may_cache + std::max({context_.settings.verify_at_least, candidate_.took() * 5,
                               is_tested ? milliseconds(0) : kWithoutTest});
}

ProofLimits Transaction::limits(milliseconds deadline) const {
  return {.deadline = deadline,
          .poll_every = std::clamp(candidate_.took() / 200, milliseconds(5), milliseconds(50)),
          .ready = {},
          .gone = [this] { return reloader_.master_is_gone(); },
          .progress = [this](size_t done, size_t total) { context_.watcher.proven(done, total); }};
}

// Runs beside the server's own test, which takes longer.
void Transaction::ask_beside_the_test(const TransactionRequest& work) {
  const size_t others = row_.record.others.size();
  if (is_asked(work)) endpoints_.ask_who_answers();
  if (reloader_.is_running() && !reloader_.is_live()) endpoints_.ask_the_others();
  some_are_silent_ = others != row_.record.others.size() ||
                     !std::ranges::all_of(row_.record.expectations, &Expectation::answered);
}

std::vector<ForeignListener> Transaction::foreign() const {
  auto master = reloader_.target();
  return master ? endpoints_.foreign(*master) : std::vector<ForeignListener>();
}

// Prepares the swap; changes nothing that the server reads. A test takes as long as the server
// needs to read everything, so there is only one. If no file is changed, it runs here on the
// current files. Otherwise it runs after the swap, on the new files.
Transaction::Step Transaction::prepare(const TransactionRequest& work) {
  if (Done marked = mark(Phase::planned); !marked) return cannot_note("", marked.error());
  std::optional<RunningCommand> test;
  if (work.files.empty() && !work.mends && !work.tested.valid()) test = candidate_.start_test();
  const RestartPermit permit =
      restart_permit(context_.settings, row_.service, context_.host.clock.wall());
  reloader_.permit_restart(permit.not_now);
  std::vector<std::string> read;
  if (work.files.empty()) {
    read = row_.record.loads;
    append(read, work.configured_by);
  }
  if (Done chosen = reloader_.choose(row_.record.loads, read); !chosen)
    return refuse(chosen.error().message(), chosen.error().hint);
  // Another user could redirect root's writes.
  if (service_ && !service_->trust().is_ours() && !work.files.empty() &&
      !service_->trust().owner_writes)
    return refuse(fmt::format("{} belongs to {}; only that user may change files for it",
                              row_.service.text(), service_->trust().whose()),
                  "run certrebind as that user");
  row_.record.unit = reloader_.unit();
  if (!row_.record.unit.empty())
    if (Done noted = context_.journal.update_record(row_); !noted)
      return refuse(noted.error().message(), "");
  if (!work.no_reload.empty() && !reloader_.is_live()) return refuse(work.no_reload, work.way_back);
  reloader_.must_not_reload(work.no_reload);
  if (Done staged = swap_.stage(work.files); !staged)
    return refuse(staged.error().message(), staged.error().hint);
  if (asks_before_the_swap(work)) ask_beside_the_test(work);
  reloader_.loadable().rehearsal();  // read it now, while nobody edits the configuration
  auto tested =
      work.tested.valid() ? candidate_.outcome_of(work.tested) : candidate_.outcome_of(test);
  if (!tested) return refuse(tested.error().message(), tested.error().hint);
  if (tested->status != 0) return refuse(kBroken + excerpt(tested->output), kMend);
  if (Done marked = mark(Phase::staged); !marked) return refuse(marked.error().message(), "");
  return std::nullopt;
}

Transaction::Step Transaction::swap() {
  if (row_.record.files.empty()) {
    candidate_.begin(row_.record.mends);  // without `mends` it was tested before
    return std::nullopt;
  }
  // Staging took time. An edit made meanwhile is detected before anything is touched.
  if (Done same = swap_.look_again(); !same)
    return refuse(same.error().message(), same.error().hint);
  if (Done marked = mark(Phase::swapping); !marked) return refuse(marked.error().message(), "");
  if (Done flipped = swap_.flip(); !flipped) return restore(flipped.error().message());
  // Every reader now finds the new files; the rest of the swap does not affect the test. What is
  // sent over a socket is tested later.
  candidate_.begin(!reloader_.is_live());
  if (Done settled = swap_.settle(); !settled) return restore(settled.error().message());
  if (Done marked = mark(Phase::swapped); !marked) return restore(marked.error().message());
  return std::nullopt;
}

Transaction::Step Transaction::restore_unless_passed(const Result<CommandOutput>& tested,
                                                     const char* why) {
  if (tested && tested->status == 0) return std::nullopt;
  test_failed_ = tested || tested.error().code != Code::timed_out;
  if (!tested) return restore(tested.error().message());
  return restore(fmt::format("{}; it says:{}", why, excerpt(tested->output)));
}

// The old files are restored. If they do not pass either, the new certificate is not at fault.
Transaction::Step Transaction::refuse_if_broken_before(const std::string& served) {
  if (!test_failed_ || row_.record.mends) return std::nullopt;
  auto tested = candidate_.test();
  if (tested && tested->status == 0) return std::nullopt;
  const std::string now = "the old files are restored\n" + served;
  if (!tested) return refuse(tested.error().message(), tested.error().hint, now);
  return refuse(kBroken + excerpt(tested->output), kMend, now);
}

// The test and the rehearsal each take as long as the server needs to read everything. Both are
// read-only, so they run in parallel. Meanwhile we ask which endpoints answer; the server has not
// been told anything yet. Then the staged files are removed. That comes last, because the test
// would wait for the directories that it reads.
Transaction::Step Transaction::try_out(const TransactionRequest& work) {
  if (!asks_before_the_swap(work)) ask_beside_the_test(work);
  // With thousands of sites the record has megabytes.
  if (some_are_silent_)
    if (Done noted = context_.journal.update_record(row_); !noted)
      return restore(noted.error().message());
  if (Done cleaned = swap_.clean_up(); !cleaned) return restore(cleaned.error().message());
  candidate_.await_test();
  if (!reloader_.is_live()) reloader_.get_ready();
  std::string unloadable = candidate_.why_not_loadable();
  if (candidate_.tests())
    if (Step over = restore_unless_passed(
            candidate_.outcome(), row_.record.mends
                                      ? "the server's own test fails with the restored files"
                                      : "the server's own test rejects the new files"))
      return *over;
  if (!unloadable.empty()) return restore(unloadable);
  if (!candidate_.tests()) return std::nullopt;
  if (Done marked = mark(Phase::tested); !marked) return restore(marked.error().message());
  return std::nullopt;
}

Transaction::Step Transaction::tell() {
  if (log_) log_->begin();
  if (Done marked = mark(Phase::reloading); !marked) return restore(marked.error().message());
  Done told = reloader_.tell(false);
  // Over the socket, some of several certificates may have arrived.
  signalled_ = told.has_value() || reloader_.is_live() || reloader_.is_partly_told();
  if (!told) return restore(told.error().message());
  return std::nullopt;
}

// What went over a socket is served already. Before the commit, the test shows that it can also be
// loaded from disk.
Transaction::Step Transaction::test_what_is_served() {
  if (!reloader_.is_live() || row_.record.files.empty()) return std::nullopt;
  return restore_unless_passed(
      candidate_.test(),
      "the new certificate is served, but the server's own test rejects the new files");
}

Result<TransactionResult> Transaction::verify() {
  if (Done marked = mark(Phase::verifying); !marked) return restore(marked.error().message());
  ProofLimits within = limits(patience());
  within.ready = [this] { return !reloader_.old_workers_remain(); };
  Verdict verdict = endpoints_.prove_new(within);
  bool up = !reloader_.master_is_gone() && !reloader_.old_workers_remain();
  if (verdict.holds() && up) {
    if (Step over = test_what_is_served()) return *over;
    if (Step over = restore_if_doubtful()) return *over;
    return commit(verdict);
  }
  std::string why =
      fmt::format("{} of {} do not serve {}:", verdict.total - verdict.proven,
                  count_of(verdict.total, "endpoint and name", "endpoints and names"), wanted());
  why += named(verdict.failures);
  for (const std::string& line : log_ ? log_->said() : std::vector<std::string>())
    why += "\n  the server's log: " + line;
  if (reloader_.old_workers_remain())
    why += "\n  the server's old processes still take connections";
  if (reloader_.master_is_gone()) why += "\n  the server's main process died";
  if (auto strangers = foreign(); !strangers.empty()) why += "\n" + story_of(strangers);
  return restore(why);
}

// Checks what no handshake with the plan's sites can show.
Transaction::Step Transaction::restore_if_doubtful() {
  if (auto strangers = foreign(); !strangers.empty()) return restore(story_of(strangers));
  if (reloader_.is_live()) return std::nullopt;
  if (auto silent = endpoints_.silenced(); !silent.empty())
    return restore(listed("after the reload, other sites of the server no longer answer:", silent));
  return restore_unless_loaded();
}

// Of what the server must load, the files that hold the wanted certificates: not chains and keys.
std::vector<std::string> Transaction::certificates_to_load() const {
  std::vector<std::string> paths = row_.record.loads;
  std::erase_if(paths, [&](const std::string& path) {
    const OnDisk lies = look_at(service_->files(), path);
    return std::ranges::none_of(row_.record.successions, [&](const JournalSuccession& each) {
      return lies.certificate && lies.certificate->thumbprint.hex() == each.new_thumbprint;
    });
  });
  return paths;
}

// What the server itself says that it has loaded, where it says that.
Transaction::Step Transaction::restore_unless_loaded() {
  constexpr milliseconds kPoll = std::chrono::milliseconds(200);
  if (!service_ || !service_->reload().loaded) return std::nullopt;
  const std::vector<std::string> wanted = certificates_to_load();
  const SteadyTime deadline = context_.host.clock.steady() + patience();
  while (true) {
    const auto missing = reloader_.not_loaded(wanted);
    if (!missing) return restore(missing.error().message());
    if (missing->empty()) return std::nullopt;
    if (context_.host.clock.steady() >= deadline || reloader_.master_is_gone())
      return restore(listed("the server says that it has not loaded", *missing));
    context_.host.clock.sleep(kPoll);
  }
}

Result<TransactionResult> Transaction::run(const TransactionRequest& work) {
  unproven_ = work.unproven;
  log_.emplace(service_->files(), work.error_logs);
  reloader_.loadable().expect(work.configured_by);
  if (Step over = prepare(work)) return *over;
  if (Step over = swap()) return *over;
  if (Step over = try_out(work)) return *over;
  if (!reloader_.is_running()) return commit_without_proof();
  if (Step over = tell()) return *over;
  return verify();
}

// A service that needs an operator stays in `status` until a later transaction ends well, or an
// audit finds nothing wrong.
Done Transaction::note_stuck(Outcome outcome) {
  if (outcome == Outcome::refused && !after_crash_) return {};
  std::vector<Attention> needed;
  if (outcome == Outcome::needs_operator)
    needed.push_back({.subject = stuck_subject(row_.service),
                      .sentence = fmt::format("{}: the last {} did not complete",
                                              row_.service.text(), to_text(row_.act)),
                      .next = fmt::format("certrebind history show {}; after the repair: "
                                          "certrebind rebind --pending",
                                          row_.id)});
  return set_attention(context_.state.database(), stuck_subject(row_.service), needed,
                       context_.host.clock.wall());
}

Result<TransactionResult> Transaction::end(Ending ending) {
  if (Done ended = context_.journal.end(row_, ending); !ended)
    return cannot_note(ending.account, ended.error());
  if (Done noted = note_stuck(ending.outcome); !noted)
    ending.account += "\n" + noted.error().message();
  context_.watcher.phase(row_.service, ending.phase);
  return TransactionResult{.transaction = row_.id,
                           .service = row_.service,
                           .outcome = ending.outcome,
                           .owed = ending.owed,
                           .text = std::move(ending.account)};
}

// The transaction has not ended: the next process that takes the lock tries again.
Result<TransactionResult> Transaction::leave_open(std::string text) {
  text += "\nnext: fix this, then run certrebind recover, which finishes the transaction";
  if (Done noted = note_stuck(Outcome::needs_operator); !noted)
    text += "\n" + noted.error().message();
  return TransactionResult{.transaction = row_.id,
                           .service = row_.service,
                           .outcome = Outcome::needs_operator,
                           .text = std::move(text)};
}

// Without the journal nothing more may be done. The current state is reported all the same.
Result<TransactionResult> Transaction::cannot_note(const std::string& story, const Error& error) {
  return leave_open(story + (story.empty() ? "" : "\n") +
                    "certrebind cannot write its records in " + context_.settings.state_directory +
                    ": " + error.message() + "\n" + on_disk() + endpoints_.served_now(wanted()));
}

// One line each; only the first few, unless a person wants all.
std::string Transaction::named(const std::vector<std::string>& failures) const {
  const size_t most = context_.settings.verbose ? failures.size() : kFailuresTold;
  std::string text;
  for (const std::string& failure : failures | std::views::take(most)) text += "\n  " + failure;
  if (failures.size() > most)
    text += fmt::format("\n  and {} more (--verbose names all)", failures.size() - most);
  return text;
}

std::string Transaction::on_disk() const {
  std::string text;
  for (const JournalFile& file : row_.record.files) {
    auto bytes = context_.host.files.read(file.path, kConfigLimit);
    const std::string digest = bytes ? content_digest(*bytes) : "";
    const char* what = digest == file.after_digest    ? "holds the new content"
                       : digest == file.before_digest ? "holds the old content"
                       : bytes                        ? "was changed by another program"
                                                      : "cannot be read";
    text += fmt::format("on disk: {} {}\n", printable(file.path), what);
  }
  return text.empty() ? "on disk: no file had to be changed\n" : text;
}

std::vector<EventId> Transaction::events_of_restore() const {
  if (!after_crash_) return {};
  return {EventId::restored_after_crash};
}

// `now`: the state of the files, and what is served.
Result<TransactionResult> Transaction::refuse(const std::string& why, const std::string& next,
                                              const std::string& now) {
  Done cleaned = swap_.clean_up();
  if (cleaned) cleaned = swap_.forget();
  if (Done removed = swap_.remove_stand_ins(); cleaned) cleaned = removed;
  std::string text = fmt::format("refused: {}\n{}", why, now);
  if (!cleaned) text += "\nthe staged files could not be removed: " + cleaned.error().message();
  if (!next.empty()) text += "\nnext: " + next;
  return end({.phase = Phase::refused,
              .outcome = Outcome::refused,
              .account = std::move(text),
              .events = events_of_restore()});
}

Result<TransactionResult> Transaction::commit_without_proof() {
  Done cleaned = swap_.clean_up();
  std::string text =
      "the files are in place and tested, but the server is not running: proof is owed\n"
      "nothing is served now\n"
      "next: start the server, then certrebind check";
  if (!cleaned) text += "\n" + cleaned.error().message();
  return end({.phase = Phase::committed,
              .outcome = Outcome::committed,
              .account = std::move(text),
              .owed = true,
              .events = {EventId::proof_owed}});
}

Result<TransactionResult> Transaction::commit(const Verdict& verdict) {
  Done cleaned = swap_.clean_up();
  size_t skipped = row_.record.expectations.size() - verdict.total;
  std::string text =
      fmt::format("{} {} {}", count_of(verdict.total, "endpoint and name", "endpoints and names"),
                  verdict.total == 1 ? "shows" : "show", wanted());
  if (verdict.total == 0)
    text =
        fmt::format("{}; no handshake {} it",
                    service_ && service_->reload().loaded ? "the server says that it has loaded it"
                                                          : "loaded and tested",
                    skipped > 0 ? "shows" : "can show");
  if (skipped > endpoints_.strangers().size())
    text += fmt::format("\n{} did not answer, before or after: proof is owed",
                        count_of(skipped - endpoints_.strangers().size(), "endpoint and name",
                                 "endpoints and names"));
  for (const std::string& stranger : endpoints_.strangers())
    text += "\n" + stranger + ": proof is owed";
  for (const std::string& reason : unproven_) text += "\nnot proven: " + reason;
  if (!candidate_.not_rehearsed().empty())
    text += "\nnot rehearsed, only tested, and each certificate and key checked: " +
            candidate_.not_rehearsed();
  if (!cleaned) text += "\nthe staged files could not be removed: " + cleaned.error().message();
  std::vector<EventId> events;
  if (!row_.record.files.empty()) events.push_back(EventId::installed);
  if (after_crash_) events.push_back(EventId::finished_after_crash);
  if (skipped > 0) events.push_back(EventId::proof_owed);
  return end({.phase = Phase::committed,
              .outcome = Outcome::committed,
              .account = std::move(text),
              .owed = skipped > 0,
              .events = std::move(events)});
}

Result<TransactionResult> Transaction::needs_operator(const std::string& why,
                                                      const std::string& served) {
  std::string text = why + "\n" + served;
  auto test = service_ ? service_->config_test() : std::nullopt;
  text += "\nnext:";
  if (test) text += "\n  " + test->text();
  std::string unloadable = candidate_.why_not_loadable();
  if (!unloadable.empty()) text += "\n  fix this before any reload: " + unloadable;
  if (!reloader_.unit().empty()) {
    text += fmt::format("\n  systemctl status {0}\n  systemctl restart {0}", reloader_.unit());
  } else if (unloadable.empty() && reloader_.is_running() && !reloader_.master_is_gone()) {
    text += how_to_reload(service_->reload());
  } else if (service_ && reloader_.master_is_gone()) {
    text += "\n  restart the server";
  }
  text += "\n  certrebind check";
  return end({.phase = Phase::stuck,
              .outcome = Outcome::needs_operator,
              .account = std::move(text),
              .events = {}});
}

// True if nothing is wrong with the files on disk.
bool Transaction::may_be_loaded() {
  auto tested = candidate_.test();
  return tested && tested->status == 0 && candidate_.why_not_loadable().empty();
}

// Makes the server serve the restored files. Returns a result if that cannot be proven.
Transaction::Step Transaction::settle(const std::string& story, std::string& served) {
  if (!reloader_.is_running()) {
    served = "the server is not running";
    return std::nullopt;
  }
  if (!signalled_ && reloader_.master_is_gone())
    return needs_operator(story + "\nthe old files are back, but the server's main process is gone",
                          "it exited before certrebind told it to reload");
  if (!signalled_ && !endpoints_.shows_new()) {
    served = "the server was not told to reload: it serves what it served before";
    return std::nullopt;
  }
  bool reloaded = reloader_.is_live() && reloader_.tell(true).has_value();
  if (!reloaded) reloaded = may_be_loaded() && reloader_.reload().has_value();
  Verdict verdict = endpoints_.prove_old(limits(patience()));
  served = fmt::format("{} of {} show {}", verdict.proven,
                       count_of(verdict.total, "endpoint and name", "endpoints and names"),
                       is_rebind() ? "the old certificate" : "the previous certificate") +
           endpoints_.told_of_memory();
  served += named(verdict.failures);
  if (reloaded && verdict.holds()) return std::nullopt;
  std::string why = story + "\nthe old files are back, but ";
  if (reloader_.master_is_gone()) {
    why += "the server's main process is gone";
  } else {
    why += reloaded ? "the old certificate could not be proven" : "the server cannot be reloaded";
  }
  return needs_operator(why, served);
}

// A reload of files that others wrote: we have no file to restore. The server keeps what it has.
Result<TransactionResult> Transaction::give_up_reload(const std::string& why) {
  Verdict old_one = endpoints_.prove_old(limits(context_.settings.handshake_deadline));
  std::string served = fmt::format(
      "{} is on disk; from the server's memory, {} of {} still show {}", wanted(), old_one.proven,
      count_of(old_one.total, "endpoint and name", "endpoints and names"),
      is_rebind() ? "the old one" : "the previous certificate");
  if (!reloader_.unit().empty())
    served = fmt::format(
        "{} is on disk; certrebind restarted {}, and {}", wanted(), reloader_.unit(),
        reloader_.master_is_gone() && old_one.proven == 0 ? "the server is down"
                                                          : "it does not serve that certificate");
  return needs_operator(why + "\nno file was changed, so there is nothing to restore", served);
}

Result<TransactionResult> Transaction::restore(const std::string& why) {
  candidate_.abandon();
  // If this is interrupted too, recovery must know whether the server has to reload.
  row_.record.told = signalled_;
  if (Done noted = context_.journal.update_record(row_); !noted)
    return cannot_note(why, noted.error());
  if (Done marked = mark(Phase::restoring); !marked) return cannot_note(why, marked.error());
  if (row_.record.files.empty() && signalled_) return give_up_reload(why);
  auto back = swap_.put_back();
  if (!back) {
    const std::string story =
        fmt::format("{}\nthe old files could not be restored: {}\ntheir old content is in {}", why,
                    back.error().message(), swap_.before_images());
    if (swap_.may_be_put_back_later())
      return leave_open(story + "\n" + on_disk() + endpoints_.served_now(wanted()));
    return needs_operator(story, "what the server serves now was not checked");
  }
  std::string story = why;
  for (const std::string& path : back->foreign)
    story += fmt::format("\n{} was changed by another program meanwhile; it was not restored",
                         printable(path));
  if (!back->foreign.empty())
    story += "\nthe old content of the files is in " + swap_.before_images();
  std::string served;
  if (Step stuck = settle(story, served)) return *stuck;
  if (back->foreign.empty())
    if (Step over = refuse_if_broken_before(served)) return *over;
  // Only part of the set is restored: one file of a pair may not match the other.
  if (!back->foreign.empty() && back->foreign.size() < row_.record.files.size())
    return needs_operator(
        story + "\nthe other files are restored; check that each key matches its certificate",
        served);
  if (auto silent = signalled_ ? endpoints_.silenced() : std::vector<std::string>();
      !silent.empty())
    return needs_operator(
        story + "\n" +
            listed("the old files are restored, but these sites still do not answer, because their "
                   "own files are bad:",
                   silent),
        served);
  std::string text = story + "\nrolled back: ";
  text += row_.record.files.empty()
              ? "no file was changed"
              : count_of(row_.record.files.size() - back->foreign.size(), "file") + " restored";
  text += "\n" + served;
  return end({.phase = Phase::restored,
              .outcome = Outcome::rolled_back,
              .account = std::move(text),
              .events = events_of_restore()});
}

Result<TransactionResult> Transaction::recover() {
  Phase interrupted = row_.phase;
  after_crash_ = true;
  signalled_ = interrupted == Phase::reloading || interrupted == Phase::verifying ||
               (interrupted == Phase::restoring && row_.record.told);
  // A restart that was begun is finished, also after its window. If another client has a change
  // open on the socket, `tell` reports it.
  Done chosen = row_.record.unit.empty() ? reloader_.choose(row_.record.loads)
                                         : reloader_.resume_restart(row_.record.unit);
  if (!chosen && !row_.record.unit.empty()) return leave_open(chosen.error().message());
  // A transaction that `mends` goes forward: there is no good state to return to.
  const bool mends = row_.record.mends && interrupted == Phase::reloading;
  bool may_be_served = interrupted == Phase::verifying || mends ||
                       (row_.record.files.empty() && interrupted == Phase::reloading);
  if (may_be_served && reloader_.is_running() && (!mends || may_be_loaded())) {
    // Only content that is already on disk is loaded: doing it again does no harm.
    bool told = interrupted == Phase::verifying || (!reloader_.is_live() && !mends) ||
                reloader_.tell(true).has_value();
    ProofLimits within = limits(patience());
    if (mends) within.ready = [this] { return !reloader_.old_workers_remain(); };
    Verdict verdict = endpoints_.prove_new(within);
    // The server may have been down since.
    if (!verdict.holds() && !reloader_.unit().empty() && reloader_.reload())
      verdict = endpoints_.prove_new(limits(patience()));
    if (told && verdict.holds() && !(mends && reloader_.old_workers_remain())) {
      if (Step over = test_what_is_served()) return *over;
      if (Step over = restore_if_doubtful()) return *over;
      return commit(verdict);
    }
  }
  return restore(fmt::format("certrebind was interrupted in the phase '{}'", to_text(interrupted)));
}

}  // namespace

std::string stuck_subject(const ServiceId& service) {
  return fmt::format("stuck {}: the last transaction", service.text());
}

// Files that are still links must not be planned for, or written through.
Done nothing_is_open(const TransactionContext& context, const ServiceId& service) {
  auto rows = context.journal.unfinished();
  if (!rows) return pass(rows);
  for (const TransactionRow& row : *rows)
    if (row.service == service)
      return fail(Code::busy, "change", service.text(),
                  fmt::format("its transaction {} is not finished", row.id), "certrebind recover");
  return {};
}

Result<TransactionResult> carry_out(const TransactionContext& context, TransactionRequest work) {
  if (Done closed = nothing_is_open(context, work.service->id()); !closed)
    return TransactionResult{.service = work.service->id(),
                             .outcome = Outcome::refused,
                             .text = "refused: " + closed.error().message() + "\n" + kUntouched +
                                     "\nnext: " + closed.error().hint};
  JournalRecord record{std::move(static_cast<TransactionGoal&>(work)), random_token()};
  for (const PlannedFile& file : work.files)
    record.files.push_back({.path = file.path,
                            .before_digest = content_digest(file.before),
                            .after_digest = content_digest(file.after),
                            .staging = file.staging,
                            .was_absent = file.is_absent,
                            .mode = file.mode});
  auto row = context.journal.begin(work.act, work.service->id(), std::move(record), work.undoes);
  if (!row) return pass(row);
  return Transaction(context, work.service, std::move(*row)).run(work);
}

Result<TransactionResult> recover(const TransactionContext& context, const Service* service,
                                  TransactionRow row) {
  return Transaction(context, service, std::move(row)).recover();
}

}  // namespace certrebind
