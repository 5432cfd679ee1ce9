// `check` speaks the monitoring convention: the first line is the summary, the exit code is 0 ok, 1
// warning, 2 critical, 3 unknown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <span>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "rebind/keep.h"
#include "rebind/own_tests.h"
#include "rebind/reloader.h"

namespace certrebind {

namespace {

struct Report {
  Survey survey;
  std::vector<AuditedBinding> bindings;
  std::vector<TransactionRow> owed;         // committed while the server was down, not served since
  std::vector<TransactionRow> interrupted;  // nobody finished them yet
  // Of the diagnostics those that cost the OK: what servers have that was not seen, and servers
  // that are not seen any more.
  size_t unseen = 0;
};

const char* word_for(Level level) {
  static constexpr std::array kWords = {"OK", "WARNING", "CRITICAL"};
  return kWords[static_cast<size_t>(level)];
}

Colour colour_for(Level level) {
  static constexpr std::array kColours = {Colour::green, Colour::yellow, Colour::red};
  return kColours[static_cast<size_t>(level)];
}

Level worst_of(const Report& report) {
  Level worst = Level::ok;
  for (const AuditedBinding& binding : report.bindings) worst = std::max(worst, binding.level());
  for (const Diagnostic& diagnostic : report.survey.diagnostics)
    if (diagnostic.severity == Severity::error) worst = std::max(worst, Level::warning);
  if (!report.owed.empty() || report.unseen > 0) worst = std::max(worst, Level::warning);
  if (!report.interrupted.empty()) worst = Level::critical;
  return worst;
}

// Where no server is seen, nothing can be said of any; but of what certrebind left open itself.
bool is_unknown(const Report& report) {
  return report.survey.services.found.empty() && report.owed.empty() &&
         report.interrupted.empty() && report.unseen == 0;
}

const char* level_text(const Report& report) {
  return is_unknown(report) ? "UNKNOWN" : word_for(worst_of(report));
}

int exit_of(const Report& report) {
  return is_unknown(report) ? kUnknown : static_cast<int>(worst_of(report));
}

bool serves_all(const Prober& prober, const TransactionRow& row) {
  std::vector<Target> targets;
  for (const Expectation& expected : row.record.expectations)
    targets.push_back(expected.new_target());
  std::vector<Result<Served>> served = prober.handshake_all(targets);
  for (size_t i = 0; i < served.size(); ++i)
    if (!served[i] || served[i]->thumbprint != row.record.expectations[i].new_thumbprint)
      return false;
  return true;
}

// Of what was interrupted or is owed nothing is known then. That is normal for who is not root.
Diagnostic blind(const Error& error) {
  return {.severity = error.code == Code::denied ? Severity::warning : Severity::error,
          .file = printable(error.subject),
          .line = 0,
          .column = 0,
          .message = "what certrebind wrote down is not looked at: " + error.cause};
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

// Proof that is owed is paid when every handshake shows the new certificate; what is proven is
// kept, as after a rebind.
void pay_what_is_owed(Context& context, Report& report) {
  auto paid = std::ranges::stable_partition(
      report.owed, [&](const TransactionRow& row) { return !serves_all(context.prober(), row); });
  if (paid.empty()) return;
  Host host = context.host();
  auto state = State::open_for_writing(host.files, context.settings(), milliseconds(0));
  Done kept;
  if (state) {
    Journal journal(state->database(), host.clock);
    for (TransactionRow& row : paid)
      if (kept) kept = journal.paid(row);
    if (kept) kept = keep_served(host, context.settings(), bindings_of(paid, report.bindings));
  }
  if (kept) {
    report.owed.erase(paid.begin(), paid.end());
    return;
  }
  report.survey.diagnostics.push_back(
      {.severity = Severity::warning,
       .file = printable(kept.error().subject),
       .line = 0,
       .column = 0,
       .message = "what was proven could not be noted: " + kept.error().cause});
}

Done read_journal(Context& context, Report& report) {
  auto state = State::open_for_reading(context.settings());
  if (!state) return pass(state);
  Journal journal(state->database(), context.host().clock);
  auto owed = journal.owed();
  if (!owed) return pass(owed);
  report.owed = std::move(*owed);
  auto left = context.interrupted(journal);
  if (!left) return pass(left);
  report.interrupted = std::move(*left);
  return {};
}

// Not where a certificate cannot be read: that is said already, and a server may wait for ever for
// what is no file.
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

// The servers' own tests of what is there: where one fails no reload can succeed, so no renewal
// will be served. Who is not root may not read what they have to, and hears only of what they see.
std::vector<Diagnostic> test_configurations(const Host& host, const Survey& survey) {
  // All of them begin before one is waited for.
  OwnTests tests;
  for (const SurveyedService& each : survey.surveyed)
    if (is_tested(survey, *each.service) || each.service->own_view())
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
                     .line = 0,
                     .column = 0,
                     .message = "no reload can succeed: " + why});
  }
  return found;
}

// A server may have loaded what its configuration was not seen to name.
std::vector<Diagnostic> ask_what_is_loaded(const Host& host, const Survey& survey) {
  constexpr size_t kFew = 5;
  std::vector<Diagnostic> found;
  for (const auto& service : survey.services.found) {
    auto unseen = Reloader(service.get(), host).unseen();
    if (!unseen || unseen->empty()) continue;
    found.push_back({.severity = Severity::warning,
                     .file = service->id().path,
                     .line = 0,
                     .column = 0,
                     .message = fmt::format(
                         "the server has loaded {} not seen here: {}; nothing is known of what "
                         "shows them, and they are left alone",
                         count_of(unseen->size(), "certificate that is", "certificates that are"),
                         few_of(*unseen, kFew))});
  }
  return found;
}

// Servers that were found before; asked of the whole host only.
std::vector<Diagnostic> look_for_gone(Context& context, const Survey& survey) {
  std::vector<Diagnostic> found;
  auto state = context.only().empty() ? State::open_for_reading(context.settings())
                                      : Result<State>(fail(Code::not_found, "", "", ""));
  auto known = state ? bound_rows(state->database()) : Result<std::vector<BoundRow>>();
  if (!state || !known) return found;
  for (const GoneService& gone : gone_services(survey, *known)) {
    Attention needed = gone.attention();
    found.push_back({.severity = Severity::warning,
                     .file = gone.service,
                     .line = 0,
                     .column = 0,
                     .message = needed.sentence + "; next: " + needed.next});
  }
  return found;
}

Result<Report> make_report(Context& context) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return pass(surveyed);
  mark_not_loaded(context.host(), context.memory(), *surveyed);
  context.remember(*surveyed);
  Report report{.survey = std::move(*surveyed), .bindings = {}, .owed = {}, .interrupted = {}};
  TerminalWatcher watcher;
  auto tested = std::async(std::launch::async,
                           [&] { return test_configurations(context.host(), report.survey); });
  report.bindings = audit(context.host(), context.settings(), context.prober(), report.survey,
                          watcher.progress_of("handshakes"));
  for (std::vector<Diagnostic> found :
       {tested.get(), ask_what_is_loaded(context.host(), report.survey),
        look_for_gone(context, report.survey)}) {
    report.unseen +=
        static_cast<size_t>(std::ranges::count(found, Severity::warning, &Diagnostic::severity));
    std::ranges::move(found, std::back_inserter(report.survey.diagnostics));
  }
  Done read = read_journal(context, report);
  if (!read && read.error().code != Code::not_found)
    report.survey.diagnostics.push_back(blind(read.error()));
  pay_what_is_owed(context, report);
  return report;
}

std::string summary(const Report& report) {
  std::array<size_t, 3> counts{};
  for (const AuditedBinding& binding : report.bindings)
    ++counts[static_cast<size_t>(binding.level())];
  std::string text =
      fmt::format("{} - {}: {} ok, {} warning, {} critical", word_for(worst_of(report)),
                  count_of(report.bindings.size(), "binding"), counts[0], counts[1], counts[2]);
  if (!report.owed.empty())
    text += fmt::format(", proof owed for {}", count_of(report.owed.size(), "transaction"));
  if (!report.interrupted.empty()) text += ", an interrupted transaction";
  auto errors =
      std::ranges::count(report.survey.diagnostics, Severity::error, &Diagnostic::severity);
  if (errors > 0) text += ", " + count_of(static_cast<size_t>(errors), "error");
  if (report.unseen > 0) text += fmt::format(", {} not seen", report.unseen);
  return text + fmt::format(" | bindings={} ok={} warning={} critical={}", report.bindings.size(),
                            counts[0], counts[1], counts[2]);
}

void print_binding(const AuditedBinding& audited, WallTime now) {
  const Binding& binding = audited.bound->binding;
  Level level = audited.level();
  std::string line = fmt::format("{:8}  {}", word_for(level), printable(binding.site));
  if (audited.remarks.empty()) {
    const auto& disk = audited.bound->disk;
    bool known = disk && disk->certificate.has_value();
    const char* what = audited.looks.empty() ? "on disk" : "serves what is on disk:";
    if (known)
      line += fmt::format("  {} {}, expires {}", what, disk->certificate->thumbprint.brief(),
                          expiry_text(disk->certificate->not_after, now));
    else
      line += "  left alone: " + printable(binding.not_editable);
  }
  print_line(coloured(colour_for(level), line.substr(0, 8)) + line.substr(8));
  std::string told;
  for (const Remark& remark : audited.remarks) {
    print_line(
        fmt::format("          {}: {}", to_text(remark.complaint), printable(remark.sentence)));
    if (!remark.next.empty() && remark.next != told)
      print_line(fmt::format("          next: {}", printable(remark.next)));
    told = remark.next;
  }
}

void print_report(const Report& report, WallTime now) {
  print_line(summary(report));
  for (const AuditedBinding& binding : report.bindings) print_binding(binding, now);
  for (const TransactionRow& row : report.owed)
    print_line(
        fmt::format("WARNING   transaction {} ({}): proof is owed until every endpoint "
                    "shows the new certificate",
                    row.id, row.service.text()));
  for (const TransactionRow& row : report.interrupted)
    print_line(
        fmt::format("CRITICAL  transaction {} ({}) was interrupted in the phase '{}'\n"
                    "          next: certrebind recover",
                    row.id, row.service.text(), to_text(row.phase)));
  for (const AuditedBinding& binding : report.bindings)
    for (const Endpoint& endpoint : binding.bound->binding.endpoints)
      if (!endpoint.unproven.empty())
        print_line(fmt::format("note: {} at {} is not probed: {}",
                               printable(binding.bound->binding.site), endpoint.listens,
                               endpoint.unproven));
}

Json looks_json(const AuditedBinding& audited) {
  Json looks = Json::array();
  for (const Look& made : audited.looks) {
    Json one = {{"address", made.asked.address.text()}, {"sni", printable(made.asked.sni)}};
    if (made.served) one["thumbprint"] = made.served->thumbprint.hex();
    if (!made.served) one["error"] = printable(made.served.error().cause);
    looks.push_back(std::move(one));
  }
  return looks;
}

Json to_json(const AuditedBinding& audited, WallTime now) {
  Json json = to_json(audited.bound->binding);
  json["service"] = audited.bound->service->id().text();
  json["level"] = word_for(audited.level());
  if (audited.bound->disk && audited.bound->disk->certificate)
    json["certificate"] = to_json(*audited.bound->disk->certificate, audited.bound->disk->der, now);
  json["remarks"] = Json::array();
  for (const Remark& remark : audited.remarks)
    json["remarks"].push_back({{"complaint", to_text(remark.complaint)},
                               {"sentence", printable(remark.sentence)},
                               {"next", printable(remark.next)}});
  json["served"] = looks_json(audited);
  return json;
}

void print_report_json(const Report& report, WallTime now) {
  Json bindings = Json::array(), owed = Json::array(), interrupted = Json::array();
  for (const AuditedBinding& binding : report.bindings) bindings.push_back(to_json(binding, now));
  for (const TransactionRow& row : report.owed) owed.push_back(row.id);
  for (const TransactionRow& row : report.interrupted) interrupted.push_back(row.id);
  print_json({{"level", level_text(report)},
              {"bindings", std::move(bindings)},
              {"proof_owed", std::move(owed)},
              {"interrupted", std::move(interrupted)},
              {"diagnostics", certrebind::to_json(report.survey.diagnostics)}});
}

int check(Context& context) {
  auto result = make_report(context);
  if (!result) {
    report(result.error());
    return kUnknown;
  }
  WallTime now = context.host().clock.wall();
  if (context.json()) {
    print_report_json(*result, now);
    return exit_of(*result);
  }
  if (is_unknown(*result)) {
    print_line("UNKNOWN - " + no_server_text(result->survey.diagnostics));
  } else {
    print_report(*result, now);
  }
  print_diagnostics(result->survey.diagnostics);
  return exit_of(*result);
}

}  // namespace

void add_check(CLI::App& app, Invocation& chosen) {
  CLI::App* command = app.add_subcommand(
      "check", "compare what is configured, on disk and served; changes nothing");
  command->footer(
      "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown, as monitoring plugins have them.\n"
      "Example:\n  certrebind check --service nginx:/etc/nginx/nginx.conf");
  command->callback([&chosen] { chosen = check; });
}

}  // namespace certrebind
