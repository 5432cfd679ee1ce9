// `check` follows the convention of monitoring plugins: the first line is the summary, the exit
// code is 0 ok, 1 warning, 2 critical, 3 unknown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "acts/check_report.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"

namespace certrebind {

namespace {

const char* word_for(Level level) {
  static constexpr std::array kWords = {"OK", "WARNING", "CRITICAL"};
  return kWords[static_cast<size_t>(level)];
}

Colour colour_for(Level level) {
  static constexpr std::array kColours = {Colour::green, Colour::yellow, Colour::red};
  return kColours[static_cast<size_t>(level)];
}

Level worst_of(const CheckReport& report) {
  Level worst = Level::ok;
  for (const AuditedBinding& binding : report.bindings) worst = std::max(worst, binding.level());
  for (const Diagnostic& diagnostic : report.survey.diagnostics)
    if (diagnostic.severity == Severity::error) worst = std::max(worst, Level::warning);
  if (!report.owed.empty() || report.unseen > 0) worst = std::max(worst, Level::warning);
  if (!report.interrupted.empty()) worst = Level::critical;
  return worst;
}

// Without a visible server the state of servers is unknown. But unfinished work of certrebind
// itself is known.
bool is_unknown(const CheckReport& report) {
  return report.survey.services.found.empty() && report.owed.empty() &&
         report.interrupted.empty() && report.unseen == 0;
}

const char* level_text(const CheckReport& report) {
  return is_unknown(report) ? "UNKNOWN" : word_for(worst_of(report));
}

int exit_of(const CheckReport& report) {
  return is_unknown(report) ? kUnknown : static_cast<int>(worst_of(report));
}

std::string summary(const CheckReport& report) {
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

// What is served where no file is known.
std::string served_text(const std::vector<Look>& looks, WallTime now) {
  std::set<std::string> shown;
  for (const Look& look : looks) {
    if (!look.served) continue;
    if (auto leaf = outline_of(look.served->leaf_der))
      shown.insert(fmt::format("{}, expires {}", leaf->thumbprint.brief(),
                               expiry_text(leaf->not_after, now)));
  }
  return "serves " + join({shown.begin(), shown.end()}, "; ");
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
      line += fmt::format("  {}; not changed by certrebind: {}", served_text(audited.looks, now),
                          printable(binding.not_editable));
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

void print_report(const CheckReport& report, WallTime now) {
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

void print_report_json(const CheckReport& report, WallTime now) {
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
  TerminalWatcher watcher;
  auto result =
      make_report(context.looking(), context.history(), watcher.progress_of("handshakes"));
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

CommandSpec check_command() {
  return {
      .name = "check",
      .summary = "compare what is configured, on disk and served; changes nothing",
      .footer =
          "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown, as monitoring plugins have them.\n"
          "Example:\n  certrebind check --service nginx:/etc/nginx/nginx.conf",
      .run = check};
}

}  // namespace certrebind
