#include "acts/check_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <span>

#include "acts/accepted.h"
#include "acts/keep_proven.h"
#include "base/text.h"
#include "plan/store_hints.h"
#include "survey/policy.h"
#include "transaction/config_tests.h"
#include "transaction/reloader.h"

namespace certrebind {

namespace {

constexpr std::string_view kNoReload = "no reload can succeed: ";

bool serves_all(Asker& asker, const TransactionRow& row) {
  std::vector<Target> targets;
  for (const Expectation& expected : row.record.expectations)
    targets.push_back(expected.new_target());
  const std::vector<const Result<Served>*> answers = asker.ask(targets);
  for (size_t i = 0; i < answers.size(); ++i) {
    const Result<Served>& served = *answers[i];
    if (!served || served->thumbprint != row.record.expectations[i].new_thumbprint) return false;
  }
  return true;
}

// Then interrupted and unproven transactions are unknown. This is normal for users other than root.
Diagnostic blind(const Error& error) {
  return {.severity = error.code == Code::denied ? Severity::warning : Severity::error,
          .file = printable(error.subject),
          .message = "cannot read certrebind's database: " + error.cause};
}

Diagnostic cannot_note(const Error& error) {
  return {.severity = Severity::warning,
          .file = printable(error.subject),
          .message = "cannot write to certrebind's database: " + error.cause};
}

std::vector<AuditedBinding> bindings_of(std::span<const TransactionRow> rows,
                                        const std::vector<AuditedBinding>& all) {
  std::vector<AuditedBinding> found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const AuditedBinding& each) {
    return std::ranges::find(rows, each.bound->service->id(), &TransactionRow::service) !=
           rows.end();
  });
  return found;
}

// Owed proof is cleared when every handshake shows the new certificate. The proven pairs are kept,
// as after a rebind.
void pay_what_is_owed(const Looking& at, CheckReport& report) {
  auto paid = std::ranges::stable_partition(
      report.owed, [&](const TransactionRow& row) { return !serves_all(at.asker, row); });
  if (paid.empty()) return;
  const Host& host = at.host;
  auto state = State::open_for_writing(host.files, at.settings, milliseconds(0));
  Done kept;
  if (state) {
    Journal journal(state->database(), host.clock);
    for (TransactionRow& row : paid)
      if (kept) kept = journal.paid(row);
    if (kept) kept = keep_served(host, at.settings, bindings_of(paid, report.bindings));
  }
  if (kept) {
    report.owed.erase(paid.begin(), paid.end());
    return;
  }
  report.survey.diagnostics.push_back(cannot_note(kept.error()));
}

Done read_journal(const Looking& at, CheckReport& report) {
  auto state = State::open_for_reading(at.settings);
  if (!state) return pass(state);
  Journal journal(state->database(), at.host.clock);
  auto owed = journal.owed();
  if (!owed) return pass(owed);
  report.owed = std::move(*owed);
  auto left = interrupted(at.settings, journal);
  if (!left) return pass(left);
  report.interrupted = std::move(*left);
  return {};
}

// False if a certificate cannot be read. That is reported already, and a server's test may wait for
// ever on something that is not a regular file.
bool is_testable(const Survey& survey, const Service& service) {
  return std::ranges::all_of(survey.bindings, [&](const SurveyedBinding& bound) {
    return bound.service != &service || !bound.disk || bound.disk->problem.empty();
  });
}

bool is_tested(const Survey& survey, const Service& service) {
  return own_user() == 0 && is_testable(survey, service);
}

size_t bindings_of(const Survey& survey, const Service& service) {
  return static_cast<size_t>(
      std::ranges::count(survey.bindings, &service, &SurveyedBinding::service));
}

std::string why_no_reload(const Host& host, const Service& service,
                          const Result<CommandOutput>& tested) {
  if (!tested) return tested.error().message();
  if (tested->status != 0) return "the server's own test fails: " + joined_lines(tested->output);
  Done free = Reloader(&service, host).can_listen();
  return free ? "" : free.error().cause;
}

// Runs the servers' own tests. If a test fails, no reload can succeed, so no renewal will be
// served. Users other than root cannot read all files that a test needs, so for them only the
// server's own view is used.
std::vector<Diagnostic> test_configurations(const Host& host, const Survey& survey) {
  // Start all tests before waiting for one.
  ConfigTests tests;
  for (const SurveyedService& each : survey.surveyed)
    if (is_tested(survey, *each.service) || own_view_of(*each.service))
      tests.begin(host, *each.service, test_deadline(bindings_of(survey, *each.service)));
  std::vector<Diagnostic> found;
  for (const SurveyedService& each : survey.surveyed) {
    const Service& service = *each.service;
    const bool whole = is_tested(survey, service);
    TestOutcome tested = tests.of(service);
    if (!tested.valid()) continue;
    std::string why = whole ? why_no_reload(host, service, tested.get()) : "";
    if (why.empty()) {
      std::ranges::move(tests.doubts({each}), std::back_inserter(found));
      continue;
    }
    found.push_back({.severity = service.trust().is_ours() ? Severity::error : Severity::note,
                     .file = service.id().path,
                     .message = std::string(kNoReload) + why});
  }
  return found;
}

// A server may have loaded certificates that the survey did not find in its configuration.
std::vector<Diagnostic> ask_what_is_loaded(const Host& host, const Survey& survey) {
  constexpr size_t kFew = 5;
  std::vector<Diagnostic> found;
  for (const auto& service : survey.services.found) {
    auto unseen = Reloader(service.get(), host).unseen();
    if (!unseen || unseen->empty()) continue;
    found.push_back(
        {.severity = Severity::warning,
         .file = service->id().path,
         .message = fmt::format(
             "the server has loaded {} not found in its configuration: {}; certrebind does "
             "not know which sites use them, and does not change them",
             count_of(unseen->size(), "certificate that is", "certificates that are"),
             few_of(*unseen, kFew))});
  }
  return found;
}

// Servers that were found before; only if the whole host is surveyed.
std::vector<Diagnostic> look_for_gone(const Looking& at, const Survey& survey) {
  std::vector<Diagnostic> found;
  auto state = at.only.empty() ? State::open_for_reading(at.settings)
                               : Result<State>(fail(Code::not_found, "", "", ""));
  auto known = state ? bound_rows(state->database()) : Result<std::vector<BoundRow>>();
  if (!state || !known) return found;
  for (const GoneService& gone : gone_services(survey, *known)) {
    Attention needed = gone.attention();
    found.push_back({.severity = Severity::warning,
                     .file = gone.service,
                     .message = needed.sentence + "; next: " + needed.next});
  }
  return found;
}

// True for entries from an earlier survey of what is configured, on disk and served.
bool is_of_a_look(const Attention& each) {
  if (!each.subject.starts_with("pending ")) return false;
  if (each.subject.ends_with("as far as it could be read")) return true;
  for (int complaint = 0; complaint < kComplaints; ++complaint)
    if (each.subject.ends_with(", " + to_text(static_cast<Complaint>(complaint)))) return true;
  return false;
}

std::string said_of(const Diagnostic& diagnostic) {
  const bool is_test = diagnostic.message.starts_with(kNoReload);
  return (is_test ? "" : kUnread) + diagnostic.text();
}

}  // namespace

std::vector<Diagnostic> ask_what_is_not_loaded(const Host& host, const Survey& survey) {
  std::vector<Diagnostic> found;
  for (const auto& service : survey.services.found) {
    if (!service->reload().loaded) continue;
    std::vector<std::string> files;
    for (const SurveyedBinding& bound : survey.bindings)
      if (bound.service == service.get() && !bound.left_alone && !bound.waits_for_restart())
        files.push_back(bound.binding.certificate.path);
    const auto missing = Reloader(service.get(), host).not_loaded(files);
    const bool is_managed = service->trust().is_ours() || service->trust().owner_writes;
    const Severity severity = is_managed ? Severity::warning : Severity::note;
    if (!missing)
      found.push_back({.severity = severity,
                       .file = service->id().path,
                       .message = "nothing tells which certificate the server has loaded: " +
                                  missing.error().message()});
    for (const std::string& path : missing ? *missing : std::vector<std::string>())
      found.push_back({.severity = severity,
                       .file = service->id().path,
                       .message = fmt::format("the server says that it has not loaded {}; next: "
                                              "certrebind rebind {} {}",
                                              printable(path), shell_quoted(printable(path)),
                                              shell_quoted(printable(path)))});
  }
  return found;
}

Result<CheckReport> make_report(const Looking& at, const History& history,
                                const LookProgress& progress) {
  auto surveyed = as_loaded(survey(at.host, at.only), at.host, at.asker, history);
  if (!surveyed) return pass(surveyed);
  Done noted =
      remember_look(at.host.files, at.settings, *surveyed, at.only.empty(), at.host.clock.wall());
  if (!noted) surveyed->diagnostics.push_back(cannot_note(noted.error()));
  CheckReport report{.survey = std::move(*surveyed), .bindings = {}, .owed = {}, .interrupted = {}};
  auto tested =
      std::async(std::launch::async, [&] { return test_configurations(at.host, report.survey); });
  auto looks = look_at_all(at.asker, report.survey, progress);
  const Pending pending = find_pending(at.host, at.settings, report.survey, looks, history);
  report.bindings = judge(at.host, at.settings, report.survey, std::move(looks));
  mark_stale_copies(at.settings, pending, report.bindings);
  mark_accepted(history, report.bindings);
  for (std::vector<Diagnostic> found :
       {tested.get(), ask_what_is_loaded(at.host, report.survey),
        ask_what_is_not_loaded(at.host, report.survey), look_for_gone(at, report.survey)}) {
    report.unseen +=
        static_cast<size_t>(std::ranges::count(found, Severity::warning, &Diagnostic::severity));
    std::ranges::move(found, std::back_inserter(report.survey.diagnostics));
  }
  std::ranges::move(store_hints(at.host.files, at.settings, report.survey),
                    std::back_inserter(report.survey.diagnostics));
  Done read = read_journal(at, report);
  if (!read && read.error().code != Code::not_found)
    report.survey.diagnostics.push_back(blind(read.error()));
  pay_what_is_owed(at, report);
  return report;
}

std::vector<Attention> attention_of(const Settings& settings, const CheckReport& report,
                                    bool enabled, WallTime now) {
  std::vector<Attention> needed = attention_for(
      report.bindings,
      [&](const AuditedBinding& each, Complaint complaint) {
        return !is_left_alone(settings, *each.bound) && (!enabled || needs_a_person(complaint));
      },
      [](const std::string& service, Complaint) { return "check " + service; });
  for (const Diagnostic& diagnostic : report.survey.diagnostics)
    if (diagnostic.severity == Severity::error && !diagnostic.hidden)
      needed.push_back({.subject = "check " + diagnostic.file,
                        .sentence = said_of(diagnostic),
                        .next = "certrebind check"});
  for (Attention& each : needed) each.since = now;
  return needed;
}

std::vector<Attention> attention_now(const Settings& settings, std::vector<Attention> stored,
                                     const CheckReport& report, bool enabled, WallTime now) {
  std::erase_if(stored, is_of_a_look);
  for (Attention& each : attention_of(settings, report, enabled, now))
    if (std::ranges::find(stored, each.sentence, &Attention::sentence) == stored.end())
      stored.push_back(std::move(each));
  return stored;
}

std::vector<Attention> attention_of(const std::vector<TransactionRow>& interrupted) {
  std::vector<Attention> needed;
  for (const TransactionRow& row : interrupted)
    needed.push_back(
        {.subject = fmt::format("transaction {}", row.id),
         .sentence = fmt::format("{}: transaction {} was interrupted in the phase '{}'",
                                 row.service.text(), row.id, to_text(row.phase)),
         .next = "certrebind recover",
         .since = row.started});
  return needed;
}

}  // namespace certrebind
