#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "observe/shadowed_in_memory.h"
#include "survey/lookup.h"

namespace certrebind {

namespace {

struct ScanOptions {
  ListOptions list;
  bool served = false;
};

std::string served_text(const std::vector<Look>& looks) {
  std::vector<std::string> shown;
  for (const Look& look : looks) {
    std::string text = look.served ? look.served->thumbprint.brief() : look.served.error().cause;
    if (std::ranges::find(shown, text) == shown.end()) shown.push_back(std::move(text));
  }
  return shown.empty() ? "-" : join(shown, ", ");
}

std::string where_text(const SurveyedBinding& bound) {
  return printable(bound.binding.certificate.where.text());
}

// A binding, and what it was seen to serve; nothing if it was not asked.
struct Row {
  const SurveyedBinding* bound;
  std::vector<Look> looks;
};

std::vector<std::string> cells_of(const Row& row, bool served, WallTime now) {
  const SurveyedBinding& bound = *row.bound;
  const bool is_client = bound.binding.role == Role::client;
  std::vector<std::string> cells = {printable(bound.binding.site),
                                    is_client ? "(client)" : endpoints_text(bound.binding)};
  if (bound.disk && bound.disk->certificate) {
    const CertificateOutline& certificate = *bound.disk->certificate;
    cells.push_back(certificate.thumbprint.brief());
    cells.push_back(names_text(certificate.names));
    cells.push_back(expiry_text(certificate.not_after, now));
  } else {
    cells.emplace_back("-");
    cells.push_back(printable(bound.disk ? bound.disk->problem : bound.binding.not_editable));
    cells.emplace_back("-");
  }
  if (served) cells.push_back(served_text(row.looks));
  cells.push_back(where_text(bound));
  return cells;
}

void print_table(const std::vector<Row>& rows, size_t left_out, bool served, WallTime now) {
  std::vector<std::string> headings = {"SITE", "LISTENS", "CERTIFICATE", "FOR", "EXPIRES", "WHERE"};
  if (served) headings.insert(headings.end() - 1, "SERVED");
  Table table(headings);
  for (const Row& row : rows) table.add(cells_of(row, served, now));
  print(table.text() + more_line(left_out, "certrebind scan"));
}

bool is_wanted(const SurveyedBinding& bound, const ListOptions& list, WallTime now) {
  if (!list.wants(bound.binding)) return false;
  const bool known = bound.disk && bound.disk->certificate;
  return known ? list.wants(bound.disk->certificate->not_after, now) : list.expiring == kAnyDay;
}

// What was asked for, by site.
std::vector<Row> rows_of(const Survey& survey, std::vector<std::vector<Look>> looks,
                         const ListOptions& list, WallTime now) {
  std::vector<Row> rows;
  for (size_t i = 0; i < survey.bindings.size(); ++i) {
    const SurveyedBinding& bound = survey.bindings[i];
    if (is_wanted(bound, list, now))
      rows.push_back({&bound, looks.empty() ? std::vector<Look>() : std::move(looks[i])});
  }
  std::ranges::stable_sort(rows, {}, [](const Row& row) { return row.bound->binding.site; });
  return rows;
}

// Servers run, and this user may look into none of them.
bool is_not_permitted(const Survey& survey) {
  return survey.services.found.empty() &&
         std::ranges::any_of(survey.diagnostics, &Diagnostic::hidden);
}

int scan(Context& context, const ScanOptions& options) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return report(surveyed.error());
  context.remember(*surveyed);
  std::vector<std::vector<Look>> looks;
  if (options.served) {
    put_back_shown(context.asker(), *surveyed);
    TerminalWatcher watcher;
    looks = look_at_all(context.asker(), *surveyed, watcher.progress_of("handshakes"));
  }
  const WallTime now = context.host().clock.wall();
  const ListOptions& list = options.list;
  std::vector<Row> rows = rows_of(*surveyed, std::move(looks), list, now);
  if (rows.empty() && !list.site.empty() && list.expiring == kAnyDay)
    return report_lookup(context, no_such_site(*surveyed, "list", list.site));
  const size_t left_out = rows.size() - list.shown_of(rows.size());
  rows.resize(rows.size() - left_out);
  const int code = is_not_permitted(*surveyed) ? kDiffers : kDone;
  if (code != kDone)
    note_failure({.message = no_server_text(surveyed->diagnostics), .next = "run it as root"});
  if (context.json()) {
    Json bindings = Json::array();
    for (const Row& row : rows)
      bindings.push_back(to_json(*row.bound, options.served ? &row.looks : nullptr, now));
    print_json({{"bindings", std::move(bindings)},
                {"left_out", left_out},
                {"diagnostics", to_json(surveyed->diagnostics)}});
    return code;
  }
  if (surveyed->services.found.empty())
    print_line(no_server_text(surveyed->diagnostics) +
               "; one that is down is named with --service nginx:/path/nginx.conf");
  else
    print_table(rows, left_out, options.served, now);
  print_diagnostics(surveyed->diagnostics);
  return code;
}

}  // namespace

CommandSpec scan_command() {
  auto options = std::make_shared<ScanOptions>();
  return {.name = "scan",
          .summary = "every binding of every running server: site, certificate, file and line",
          .options = {{"--served", &options->served, "ask each endpoint what it serves now"},
                      site_option(options->list),
                      expiring_option(options->list),
                      limit_option(options->list)},
          .footer = "Example:\n  certrebind scan --served",
          .run = [options](Context& context) { return scan(context, *options); },
          .pages = true};
}

}  // namespace certrebind
