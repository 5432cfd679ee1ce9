#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

// A restore may replace a file that is not a certificate.
std::string old_text(const JournalSuccession& succession) {
  return succession.old_thumbprint.empty() ? "no certificate" : succession.old_thumbprint;
}

std::string successions_text(const TransactionRow& row) {
  std::vector<std::string> parts;
  for (const JournalSuccession& succession : row.record.successions)
    parts.push_back(fmt::format("{} -> {}", old_text(succession).substr(0, 16),
                                succession.new_thumbprint.substr(0, 16)));
  return join(parts, ", ");
}

// Certificates that were served from memory while the old one of `succession` was on disk and never
// loaded.
std::vector<std::string> only_served(const TransactionRow& row,
                                     const JournalSuccession& succession) {
  std::set<std::string> served;
  for (const Expectation& expected : row.record.expectations)
    if (expected.in_memory && expected.old_thumbprint.hex() == succession.old_thumbprint &&
        expected.new_thumbprint.hex() == succession.new_thumbprint)
      served.insert(expected.in_memory->hex());
  return {served.begin(), served.end()};
}

Json to_json(const TransactionRow& row) {
  Json successions = Json::array(), files = Json::array();
  for (const JournalSuccession& succession : row.record.successions) {
    std::vector<std::string> sites;
    for (const std::string& site : succession.sites) sites.push_back(printable(site));
    successions.push_back({{"old", succession.old_thumbprint},
                           {"new", succession.new_thumbprint},
                           {"sites", std::move(sites)}});
    if (auto served = only_served(row, succession); !served.empty())
      successions.back()["served_instead_of_old"] = std::move(served);
  }
  for (const JournalFile& file : row.record.files) files.push_back(printable(file.path));
  Json json = {{"id", row.id},
               {"act", to_text(row.act)},
               {"service", row.service.text()},
               {"phase", to_text(row.phase)},
               {"outcome", row.outcome ? to_text(*row.outcome) : ""},
               {"started", to_rfc3339(row.started)},
               {"ended", row.ended ? to_rfc3339(*row.ended) : ""},
               {"proof_owed", row.owed},
               {"successions", std::move(successions)},
               {"account", split(row.account, '\n')}};
  if (row.undoes) json["undoes"] = *row.undoes;
  if (!files.empty()) json["files"] = std::move(files);
  return json;
}

void print_rows(const std::vector<TransactionRow>& rows, size_t left_out) {
  Table table({"ID", "STARTED", "ACT", "OUTCOME", "OLD -> NEW", "SERVICE"});
  for (const TransactionRow& row : rows)
    table.add({std::to_string(row.id), local_time_text(row.started),
               row.undoes ? fmt::format("undo of {}", *row.undoes) : to_text(row.act),
               outcome_text(row), successions_text(row), row.service.text()});
  print(table.text() + more_line(left_out, "certrebind history"));
}

bool is_of_site(const TransactionRow& row, const std::string& site) {
  return site.empty() ||
         std::ranges::any_of(row.record.successions, [&](const JournalSuccession& succession) {
           return std::ranges::find(succession.sites, site) != succession.sites.end();
         });
}

int list(Context& context, const ListOptions& options) {
  auto state = State::open_for_reading(context.settings());
  if (!state && state.error().code != Code::not_found) return report(state.error());
  std::vector<TransactionRow> rows;
  if (state) {
    auto all = Journal(state->database(), context.host().clock).all();
    if (!all) return report(all.error());
    rows = std::move(*all);
  }
  std::ranges::reverse(rows);
  const bool none = rows.empty();
  std::erase_if(rows, [&](const TransactionRow& row) {
    if (!is_of_site(row, options.site)) return true;
    return !context.only().empty() &&
           std::ranges::find(context.only(), row.service) == context.only().end();
  });
  const size_t left_out = rows.size() - options.shown_of(rows.size());
  rows.erase(rows.end() - static_cast<ptrdiff_t>(left_out), rows.end());
  if (context.json()) {
    Json json = Json::array();
    for (const TransactionRow& row : rows) json.push_back(to_json(row));
    print_json({{"transactions", std::move(json)}, {"left_out", left_out}});
  } else if (rows.empty()) {
    print_line(none ? "nothing was rebound yet" : "no transaction fits");
  } else {
    print_rows(rows, left_out);
  }
  return kDone;
}

// The outcome for the files to be replaced.
const char* word_for_files(const TransactionRow& row) {
  if (row.outcome == Outcome::committed) return "replaced";
  if (row.outcome == Outcome::refused) return "left as it was:";
  if (row.outcome == Outcome::rolled_back) return "put back:";
  return "to be replaced:";
}

void print_row(const TransactionRow& row) {
  print_line(fmt::format("transaction {}: {} of {}: {}", row.id, to_text(row.act),
                         row.service.text(), outcome_text(row)));
  print_line(fmt::format("  started  {}", local_time_text(row.started)));
  if (row.ended) print_line(fmt::format("  ended    {}", local_time_text(*row.ended)));
  if (row.undoes) print_line(fmt::format("  undoes   transaction {}", *row.undoes));
  for (const JournalSuccession& succession : row.record.successions) {
    print_line(fmt::format("  {} -> {}\n    {}", old_text(succession), succession.new_thumbprint,
                           printable(join(succession.sites, ", "))));
    for (const std::string& served : only_served(row, succession))
      print_line(fmt::format("    served until then, from memory only: {}", served));
  }
  for (const JournalFile& file : row.record.files)
    print_line(fmt::format("  {} {}", word_for_files(row), printable(file.path)));
  for (const std::string& line : split(row.account, '\n'))
    if (!line.empty()) print_line("  " + line);
}

int show(Context& context, int64_t id) {
  auto state = State::open_for_reading(context.settings());
  if (!state) return report(state.error());
  auto row = Journal(state->database(), context.host().clock).find(id);
  if (!row) return report(row.error());
  if (context.json())
    print_json(to_json(*row));
  else
    print_row(*row);
  return kDone;
}

}  // namespace

CommandSpec history_command() {
  auto id = std::make_shared<int64_t>(0);
  auto options = std::make_shared<ListOptions>();
  return {.name = "history",
          .summary = "what was rebound, and how it ended",
          .options = {site_option(*options),
                      limit_option(*options, "--limit,-n", "print only the newest N")},
          .footer = "Example:\n  certrebind history\n  certrebind history show 12",
          .subcommands = {{.name = "show",
                           .summary = "one transaction, whole",
                           .options = {{"id", id.get(), "its number", "ID", Need::required,
                                        record_number}},
                           .run = [id](Context& context) { return show(context, *id); },
                           .pages = true}},
          .run = [options](Context& context) { return list(context, *options); },
          .pages = true};
}

}  // namespace certrebind
