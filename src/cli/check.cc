// `check` follows the convention of monitoring plugins: the first line is the summary, the exit
// code is 0 ok, 1 warning, 2 critical, 3 unknown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "acts/check_report.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "cli/suggestion.h"
#include "survey/lookup.h"

namespace certrebind {

namespace {

// NRPE and Nagios take no longer output.
constexpr size_t kMostOutput = 8'000;

struct CheckOptions {
  ListOptions list;
  int warning = kAnyDay;
  int critical = kAnyDay;
  bool problems = false;
};

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

// Up to three sites, worst first, and how many more.
std::string wrong_sites(const std::vector<AuditedBinding>& bindings) {
  constexpr size_t kFew = 3;
  std::vector<std::string> sites;
  for (const AuditedBinding& binding : bindings) {
    std::string site = printable(binding.bound->binding.site);
    if (binding.level() == Level::ok || std::ranges::find(sites, site) != sites.end()) continue;
    sites.push_back(std::move(site));
  }
  if (sites.empty()) return "";
  std::string text = join({sites.begin(), sites.begin() + std::min(kFew, sites.size())}, ", ");
  return text + (sites.size() > kFew ? fmt::format(" and {} more; ", sites.size() - kFew) : "; ");
}

// The end of validity on disk or on the wire, whichever comes first.
std::optional<WallTime> end_of(const AuditedBinding& audited) {
  std::optional<WallTime> end;
  auto consider = [&](WallTime at) { end = end ? std::min(*end, at) : at; };
  const auto& disk = audited.bound->disk;
  if (disk && disk->certificate) consider(disk->certificate->not_after);
  for (const Look& look : audited.looks) {
    if (!look.served) continue;
    if (auto leaf = outline_of(look.served->leaf_der)) consider(leaf->not_after);
  }
  return end;
}

int64_t days_until(WallTime end, WallTime now) {
  return std::chrono::floor<std::chrono::days>(end - now).count();
}

// "bindings=3 …": the plugin API's performance data.
std::string performance(const CheckReport& report, const std::array<size_t, 3>& counts,
                        const Settings& settings, WallTime now) {
  std::string text = fmt::format(" | bindings={} ok={} warning={} critical={}",
                                 report.bindings.size(), counts[0], counts[1], counts[2]);
  std::optional<WallTime> first;
  for (const AuditedBinding& binding : report.bindings)
    if (auto end = end_of(binding)) first = first ? std::min(*first, *end) : *end;
  if (!first) return text;
  auto bound = [](const std::optional<int>& days) {
    return days ? std::to_string(*days) + ":" : "";
  };
  std::string limits = bound(settings.warning_days) + ";" + bound(settings.critical_days);
  return text +
         fmt::format(" days_left={}{}", days_until(*first, now), limits == ";" ? "" : ";" + limits);
}

std::string summary(const CheckReport& report, const Settings& settings, WallTime now) {
  std::array<size_t, 3> counts{};
  for (const AuditedBinding& binding : report.bindings)
    ++counts[static_cast<size_t>(binding.level())];
  std::string text =
      fmt::format("{} - {}{}: {} ok, {} warning, {} critical", word_for(worst_of(report)),
                  wrong_sites(report.bindings), count_of(report.bindings.size(), "binding"),
                  counts[0], counts[1], counts[2]);
  if (!report.owed.empty())
    text += fmt::format(", proof owed for {}", count_of(report.owed.size(), "transaction"));
  if (!report.interrupted.empty()) text += ", an interrupted transaction";
  auto errors =
      std::ranges::count(report.survey.diagnostics, Severity::error, &Diagnostic::severity);
  if (errors > 0) text += ", " + count_of(static_cast<size_t>(errors), "error");
  if (report.unseen > 0) text += fmt::format(", {} not seen", report.unseen);
  std::ranges::replace(text, '|', '/');  // a name must not begin the performance data
  return text + performance(report, counts, settings, now);
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

// Of a site without problems, short enough for one line of 80 columns.
std::string fine_text(const AuditedBinding& audited, WallTime now) {
  const auto& disk = audited.bound->disk;
  if (!disk || !disk->certificate)
    return fmt::format("{}; not changed by certrebind: {}", served_text(audited.looks, now),
                       printable(audited.bound->binding.not_editable));
  const std::string text = fmt::format("{} until {}", disk->certificate->thumbprint.brief(),
                                       expiry_text(disk->certificate->not_after, now));
  return (audited.looks.empty() ? "on disk: " : "") + text;
}

std::string binding_text(const AuditedBinding& audited, WallTime now) {
  const Binding& binding = audited.bound->binding;
  Level level = audited.level();
  std::string line = fmt::format("{:8}  {}", word_for(level), printable(binding.site));
  if (std::ranges::all_of(audited.remarks, &Remark::accepted))
    line += "  " + fine_text(audited, now);
  std::string text = coloured(colour_for(level), line.substr(0, 8)) + line.substr(8) + "\n";
  std::string told;
  for (const Remark& remark : audited.remarks) {
    text +=
        fmt::format("          {}: {}{}\n", to_text(remark.complaint), printable(remark.sentence),
                    remark.accepted ? "; a person accepted this" : "");
    if (remark.accepted) continue;
    if (!remark.next.empty() && remark.next != told)
      text += fmt::format("          next: {}\n", printable(remark.next));
    told = remark.next;
  }
  return text;
}

// What is wrong with the machine rather than with one site.
std::string other_text(const CheckReport& report) {
  std::string text;
  for (const TransactionRow& row : report.interrupted)
    text += fmt::format(
        "CRITICAL  transaction {} ({}) was interrupted in the phase '{}'\n"
        "          next: certrebind recover\n",
        row.id, row.service.text(), to_text(row.phase));
  for (const TransactionRow& row : report.owed)
    text += fmt::format(
        "WARNING   transaction {} ({}): proof is owed until every endpoint "
        "shows the new certificate\n",
        row.id, row.service.text());
  for (Severity severity : {Severity::error, Severity::warning})
    for (const Diagnostic& diagnostic : report.survey.diagnostics)
      if (diagnostic.severity == severity)
        text += fmt::format("{}: {}\n", word_for(severity), printable(diagnostic.text()));
  return text;
}

std::string notes_text(const CheckReport& report) {
  std::string text;
  for (const AuditedBinding& binding : report.bindings)
    for (const Endpoint& endpoint : binding.bound->binding.endpoints)
      if (!endpoint.unproven.empty())
        text += fmt::format("note: {} at {} is not probed: {}\n",
                            printable(binding.bound->binding.site), endpoint.listens,
                            endpoint.unproven);
  for (const Diagnostic& diagnostic : report.survey.diagnostics)
    if (diagnostic.severity == Severity::note)
      text += fmt::format("note: {}\n", printable(diagnostic.text()));
  return text;
}

// The first line stays whole: monitoring systems read no other.
void print_report(const CheckReport& report, const Settings& settings, const ListOptions& list,
                  WallTime now) {
  print_whole(summary(report, settings, now) + "\n");
  const size_t shown = list.shown_of(report.bindings.size());
  std::string text;
  for (const AuditedBinding& binding : report.bindings | std::views::take(shown))
    text += binding_text(binding, now);
  print(text + more_line(report.bindings.size() - shown, "certrebind check") + other_text(report) +
        notes_text(report));
}

// The same without what is well; as much of it as a monitoring system takes.
void print_problems(const CheckReport& report, const Settings& settings, const ListOptions& list,
                    WallTime now) {
  const std::string first = summary(report, settings, now) + "\n";
  std::string text = other_text(report);
  if (text.size() > kMostOutput) text = text.substr(0, text.rfind('\n', kMostOutput) + 1);
  size_t left_out = 0, shown = 0;
  for (const AuditedBinding& binding : report.bindings) {
    if (binding.level() == Level::ok) continue;
    std::string more = binding_text(binding, now);
    const bool fits = left_out == 0 && first.size() + text.size() + more.size() < kMostOutput &&
                      (list.limit == 0 || shown < static_cast<size_t>(list.limit));
    if (fits) text += more;
    ++(fits ? shown : left_out);
  }
  if (left_out > 0)
    text += fmt::format("and {} more; all of them: certrebind check --problems --json\n", left_out);
  print_whole(first);
  print(text);
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
                               {"next", printable(remark.next)},
                               {"accepted", remark.accepted}});
  json["served"] = looks_json(audited);
  return json;
}

void print_report_json(const CheckReport& report, const ListOptions& list, const char* level,
                       WallTime now) {
  Json bindings = Json::array(), owed = Json::array(), interrupted = Json::array();
  const size_t shown = list.shown_of(report.bindings.size());
  for (const AuditedBinding& binding : report.bindings | std::views::take(shown))
    bindings.push_back(to_json(binding, now));
  for (const TransactionRow& row : report.owed) owed.push_back(row.id);
  for (const TransactionRow& row : report.interrupted) interrupted.push_back(row.id);
  print_json({{"level", level},
              {"bindings", std::move(bindings)},
              {"left_out", report.bindings.size() - shown},
              {"proof_owed", std::move(owed)},
              {"interrupted", std::move(interrupted)},
              {"diagnostics", certrebind::to_json(report.survey.diagnostics)}});
}

bool is_about(const Diagnostic& diagnostic, const AuditedBinding& each) {
  const Binding& binding = each.bound->binding;
  const Span& where = binding.certificate.where;
  if (!diagnostic.sites.empty())
    return std::ranges::find(diagnostic.sites, binding.site) != diagnostic.sites.end();
  return diagnostic.file == where.file && diagnostic.line == where.line;
}

// A note on other sites, or on a line of the configuration that is another site's.
bool is_note_on_others(const Diagnostic& diagnostic, const CheckReport& report) {
  const bool is_on_some = !diagnostic.sites.empty() || diagnostic.line > 0;
  return diagnostic.severity == Severity::note && is_on_some &&
         std::ranges::none_of(report.bindings, [&](const AuditedBinding& each) {
           return is_about(diagnostic, each);
         });
}

// Leaves what was asked for: the worst first, then by site.
void choose(const CheckOptions& options, WallTime now, CheckReport& report) {
  std::erase_if(report.bindings, [&](const AuditedBinding& each) {
    if (!options.list.wants(each.bound->binding)) return true;
    auto end = end_of(each);
    return options.list.expiring != kAnyDay && (!end || !options.list.wants(*end, now));
  });
  if (!options.list.site.empty())
    std::erase_if(report.survey.diagnostics, [&](const Diagnostic& diagnostic) {
      return is_note_on_others(diagnostic, report);
    });
  std::ranges::stable_sort(
      report.bindings, [](const AuditedBinding& one, const AuditedBinding& other) {
        return one.level() != other.level() ? one.level() > other.level()
                                            : one.bound->binding.site < other.bound->binding.site;
      });
}

Result<CheckReport> report_of(Context& context, const Settings& settings) {
  TerminalWatcher watcher;
  const Looking at{.host = context.host(),
                   .settings = settings,
                   .asker = context.asker(),
                   .only = context.only()};
  return make_report(at, context.history(), watcher.progress_of("handshakes"));
}

int check(Context& context, const CheckOptions& options) {
  Settings settings = context.settings();
  if (options.warning != kAnyDay) settings.warning_days = options.warning;
  if (options.critical != kAnyDay) settings.critical_days = options.critical;
  auto result = report_of(context, settings);
  if (!result) {
    note_failure({.message = result.error().message(), .next = result.error().hint});
    if (!context.json()) print_whole("UNKNOWN - " + printable(result.error().message()) + "\n");
    return kUnknown;
  }
  WallTime now = context.host().clock.wall();
  const std::vector<std::string> sites = site_names(result->survey);
  choose(options, now, *result);
  const std::string& site = options.list.site;
  const bool no_such_site =
      !site.empty() && std::ranges::find(sites, site) == sites.end() && !sites.empty();
  if (no_such_site)
    note_failure({.message = "no server has a site " + site, .next = did_you_mean(site, sites)});
  if (context.json()) {
    if (options.problems)
      std::erase_if(result->bindings,
                    [](const AuditedBinding& each) { return each.level() == Level::ok; });
    print_report_json(*result, options.list, no_such_site ? "UNKNOWN" : level_text(*result), now);
  } else if (is_unknown(*result) || no_such_site) {
    print_whole(
        "UNKNOWN - " +
        (no_such_site ? no_site_text(site, sites) : no_server_text(result->survey.diagnostics)) +
        "\n");
    print(other_text(*result) + notes_text(*result));
  } else if (options.problems) {
    print_problems(*result, settings, options.list, now);
  } else {
    print_report(*result, settings, options.list, now);
  }
  return no_such_site ? static_cast<int>(kUnknown) : exit_of(*result);
}

}  // namespace

CommandSpec check_command() {
  auto options = std::make_shared<CheckOptions>();
  return {
      .name = "check",
      .summary = "compare what is configured, on disk and served; changes nothing",
      .options = {{"--problems", &options->problems, "only what is wrong, in at most 8 KB"},
                  site_option(options->list),
                  expiring_option(options->list),
                  limit_option(options->list),
                  {"--warning", &options->warning, "warn if fewer days are left", "DAYS",
                   Need::optional, in_range(0, kMostDays)},
                  {"--critical", &options->critical, "critical if fewer days are left", "DAYS",
                   Need::optional, in_range(0, kMostDays)}},
      .footer =
          "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown, as monitoring plugins have them.\n"
          "Example:\n  certrebind check --problems --warning 14 --critical 5",
      .run = [options](Context& context) { return check(context, *options); },
      .pages = true};
}

}  // namespace certrebind
