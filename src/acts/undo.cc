#include "acts/undo.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "acts/keep_proven.h"
#include "base/text.h"
#include "observe/renewed_in_memory.h"
#include "store/own.h"
#include "store/sightings.h"
#include "survey/identify.h"
#include "survey/lookup.h"
#include "survey/policy.h"
#include "survey/shadowed.h"
#include "transaction/file_swap.h"

namespace certrebind {

namespace {

bool is_among(const std::vector<ServiceId>& only, const ServiceId& service) {
  return only.empty() || std::ranges::find(only, service) != only.end();
}

// For each transaction, the one that undid it, unless that one was undone too.
std::map<int64_t, int64_t> taken_back(const std::vector<TransactionRow>& rows) {
  std::map<int64_t, int64_t> by;
  for (const TransactionRow& row : rows | std::views::reverse)
    if (row.outcome == Outcome::committed && row.undoes && !by.contains(row.id))
      by.emplace(*row.undoes, row.id);
  return by;
}

// A restore that replaced no valid certificate cannot be undone: nothing could be proven.
Result<TransactionRow> brings_back_a_certificate(TransactionRow row) {
  const std::vector<JournalSuccession>& all = row.record.successions;
  const bool was_whole =
      std::ranges::none_of(all, [](auto& each) { return each.old_thumbprint.empty(); }) &&
      std::ranges::none_of(row.record.files, &JournalFile::was_absent);
  if (was_whole) return row;
  return fail(Code::usage, "undo", fmt::format("transaction {}", row.id),
              "before that restore there was no certificate with a matching key",
              "choose another transaction from certrebind history: certrebind undo ID");
}

bool concerns(const TransactionRow& row, const std::set<std::string>& sites) {
  return sites.empty() ||
         std::ranges::any_of(row.record.successions, [&](const JournalSuccession& succession) {
           return std::ranges::any_of(
               succession.sites, [&](const std::string& site) { return sites.contains(site); });
         });
}

// The names under which transactions recorded a site: as typed, and as `scan` shows it. Fails if
// neither a server nor the journal knows it.
Result<std::set<std::string>> recorded_names(const Host& host, Journal& journal,
                                             const std::vector<ServiceId>& only,
                                             const std::string& site) {
  std::set<std::string> names = {site};
  auto surveyed = survey(host, only);
  if (!surveyed) return pass(surveyed);
  const auto meant =
      only.empty() ? our_bindings_of_site(*surveyed, site) : bindings_of_site(*surveyed, site);
  for (const SurveyedBinding* bound : meant) names.insert(bound->binding.site);
  auto rows = journal.all();
  if (!rows) return pass(rows);
  const bool is_recorded =
      std::ranges::any_of(*rows, [&](const auto& row) { return concerns(row, names); });
  if (meant.empty() && !is_recorded) return fail(no_such_site(*surveyed, "undo", site));
  return names;
}

// The last rebind or restore of these services and sites that changed files and was not undone
// since; unset if there is none.
Result<std::optional<TransactionRow>> last_to_undo(Journal& journal,
                                                   const std::vector<ServiceId>& only,
                                                   const std::set<std::string>& sites) {
  auto rows = journal.all();
  if (!rows) return pass(rows);
  const std::map<int64_t, int64_t> undone = taken_back(*rows);
  for (const TransactionRow& row : *rows | std::views::reverse) {
    if (row.outcome != Outcome::committed || undone.contains(row.id)) continue;
    if (row.act == Act::undo || !is_among(only, row.service) || !concerns(row, sites)) continue;
    auto whole = journal.find(row.id);
    if (!whole) return pass(whole);
    if (whole->record.files.empty()) continue;
    auto row_to_undo = brings_back_a_certificate(std::move(*whole));
    if (!row_to_undo) return pass(row_to_undo);
    return std::move(*row_to_undo);
  }
  return std::nullopt;
}

bool is_of_same_succession(const TransactionRow& one, const TransactionRow& other) {
  return std::ranges::any_of(one.record.successions, [&](const JournalSuccession& each) {
    return std::ranges::any_of(other.record.successions, [&](const JournalSuccession& its) {
      return its.old_thumbprint == each.old_thumbprint && its.new_thumbprint == each.new_thumbprint;
    });
  });
}

// One rebind of several servers is one transaction for each. These are the others of `row` that
// stand: the last one of each further service that brought the same certificate to these sites.
Result<std::vector<TransactionRow>> same_elsewhere(Journal& journal, const TransactionRow& row,
                                                   const std::vector<ServiceId>& only,
                                                   const std::set<std::string>& sites) {
  auto rows = journal.all();
  if (!rows) return pass(rows);
  std::set<ServiceId> services;
  for (const TransactionRow& each : *rows)
    if (each.service != row.service && is_among(only, each.service)) services.insert(each.service);
  std::vector<TransactionRow> others;
  for (const ServiceId& service : services) {
    auto last = last_to_undo(journal, {service}, sites);
    if (last && *last && (*last)->act == row.act && is_of_same_succession(row, **last))
      others.push_back(std::move(**last));
  }
  return others;
}

// The command that imports once more what certrebind's own store had before. Empty: it had nothing.
std::string way_back(const TransactionContext& context, const TransactionRow& row) {
  const Files& files = context.host.files;
  for (const JournalSuccession& succession : row.record.successions) {
    auto old_one = Thumbprint::from_hex(succession.old_thumbprint);
    if (!old_one) continue;
    for (const StoreSetting& store : context.settings.stores) {
      if (store.kind != kOwnKind) continue;
      for (const OwnCertificate& own : own_certificates(files, store.path))
        if (std::string generation = generation_with(files, own, *old_one); !generation.empty())
          return fmt::format("certrebind import {} --store {} --name {} --accept=shorter --rebind",
                             shell_quoted(generation + "/combined.pem"),
                             shell_quoted(own.directory), own.name);
    }
  }
  return "";
}

Result<TransactionRow> row_with_id(const TransactionContext& context, int64_t id,
                                   const std::vector<ServiceId>& only) {
  Journal& journal = context.journal;
  auto row = journal.find(id);
  if (!row) return row;
  std::string subject = "transaction " + std::to_string(id);
  if (row->outcome != Outcome::committed)
    return fail(Code::usage, "undo", subject, "it was not committed and changed nothing",
                "certrebind history");
  if (!is_among(only, row->service))
    return fail(Code::usage, "undo", subject, "it belongs to " + row->service.text());
  auto rows = journal.all();
  if (!rows) return pass(rows);
  const std::map<int64_t, int64_t> undone = taken_back(*rows);
  if (auto by = undone.find(id); by != undone.end())
    return fail(Code::usage, "undo", subject,
                fmt::format("it was already undone by transaction {}", by->second));
  if (row->record.files.empty())
    return fail(Code::usage, "undo", subject,
                "it changed no file: it only reloaded files that others had written",
                way_back(context, *row));
  return brings_back_a_certificate(std::move(*row));
}

// Empty: there is nothing to undo. Of a site, the transactions of all servers that have it.
Result<std::vector<TransactionRow>> rows_to_undo(const TransactionContext& context,
                                                 const UndoRequest& request,
                                                 const std::vector<ServiceId>& only) {
  Journal& journal = context.journal;
  if (request.id != 0) {
    auto row = row_with_id(context, request.id, only);
    return row ? Result<std::vector<TransactionRow>>({std::move(*row)}) : pass(row);
  }
  std::set<std::string> sites;
  if (!request.site.empty()) {
    auto names = recorded_names(context.host, journal, only, request.site);
    if (!names) return pass(names);
    sites = std::move(*names);
  }
  auto last = last_to_undo(journal, only, sites);
  if (!last) return pass(last);
  if (!*last) return std::vector<TransactionRow>();
  std::vector<TransactionRow> rows = {std::move(**last)};
  if (sites.empty()) return rows;
  auto others = same_elsewhere(journal, rows.front(), only, sites);
  if (!others) return pass(others);
  std::ranges::move(*others, std::back_inserter(rows));
  return rows;
}

// Who undoes one transaction of a rebind should know where else its certificate is still served.
void tell_of_the_rest(Journal& journal, const TransactionRow& row,
                      const std::vector<ServiceId>& only, TransactionResult& account) {
  auto others = same_elsewhere(journal, row, only, {});
  if (!others || account.outcome != Outcome::committed) return;
  for (const TransactionRow& other : *others)
    account.text +=
        fmt::format("\n{} still has the certificate of that rebind; next: certrebind undo {}",
                    other.service.text(), other.id);
}

std::optional<ModeChange> turned(const std::optional<ModeChange>& mode) {
  if (!mode) return std::nullopt;
  return ModeChange{.before = mode->after, .after = mode->before};
}

std::vector<std::string> all_files_of(const Binding& binding) {
  std::vector<std::string> paths = {binding.certificate.path, binding.key.path, binding.chain.path};
  for (const Companion& companion : binding.companions) paths.push_back(companion.path);
  return paths;
}

// The files may belong to a site that was removed since: then nothing could be proven.
Done is_used_still(const TransactionContext& context, const TransactionRow& row) {
  auto surveyed = survey(context.host, {row.service});
  if (!surveyed) return pass(surveyed);
  put_all_back(*surveyed);
  std::set<std::string> used;
  for (const SurveyedService& service : surveyed->surveyed)
    used.insert(service.configured_by.begin(), service.configured_by.end());
  for (const SurveyedBinding& bound : surveyed->bindings)
    for (const std::string& path : all_files_of(bound.binding))
      if (auto real = context.host.files.real_path(path)) used.insert(std::move(*real));
  if (std::ranges::any_of(row.record.files,
                          [&](const JournalFile& file) { return used.contains(file.path); }))
    return {};
  return fail(Code::usage, "undo", fmt::format("transaction {}", row.id),
              row.service.text() + " no longer uses any of the files that it wrote",
              "certrebind history show " + std::to_string(row.id));
}

// Explains why one certificate that cannot be undone blocks the others of its transaction: they
// were tested, loaded and proven together, and a part of them was never proven alone.
std::string goes_as_a_whole(const TransactionRow& row) {
  const size_t others = row.record.successions.size();
  if (others < 2) return "";
  return fmt::format(
      "; {} were rebound in one transaction, which can only be undone as a whole: "
      "nothing was changed",
      count_of(others, "certificate"));
}

// The old files, if the present ones are still those of the transaction.
Result<std::vector<PlannedFile>> files_to_undo(const TransactionContext& context,
                                               const TransactionRow& row) {
  std::vector<PlannedFile> files;
  for (size_t index = 0; index < row.record.files.size(); ++index) {
    const JournalFile& file = row.record.files[index];
    auto now = context.host.files.read(file.path, kConfigLimit);
    if (!now) return pass(now);
    if (content_digest(*now) != file.after_digest)
      return fail(Code::failed, "undo", fmt::format("transaction {}", row.id),
                  file.path + " was changed since" + goes_as_a_whole(row),
                  "see certrebind history; certrebind restore can restore a kept certificate");
    auto before = read_before_image(context.host.files, context.state, row, index);
    if (!before) return pass(before);
    files.push_back({.path = file.path,
                     .staging = file.staging,
                     .before = std::move(*now),
                     .after = std::move(*before),
                     .secret = true,
                     .what = {},
                     .mode = turned(file.mode)});
  }
  return files;
}

Done still_valid(const KnownCertificates& known, const TransactionRow& row, WallTime now) {
  for (const JournalSuccession& succession : row.record.successions) {
    auto old_one = known.find(succession.old_thumbprint);
    if (old_one && old_one->outline.not_after < now)
      return fail(
          Code::usage, "undo", fmt::format("transaction {}", row.id),
          fmt::format("the certificate to restore expired on {} UTC",
                      to_text(old_one->outline.not_after)) +
              goes_as_a_whole(row),
          row.record.successions.size() > 1 ? "certrebind restore PATH restores one site" : "");
  }
  return {};
}

TransactionRequest undo_work(const TransactionRow& row, const Service& service,
                             std::vector<PlannedFile> files, bool decided) {
  TransactionRequest work{{.successions = row.record.successions,
                           .expectations = row.record.expectations,
                           .loads = row.record.loads,
                           .files_of = row.record.files_of,
                           .decided = decided},
                          Act::undo,
                          &service,
                          std::move(files)};
  work.undoes = row.id;
  for (JournalSuccession& succession : work.successions)
    std::swap(succession.old_thumbprint, succession.new_thumbprint);
  for (Expectation& expected : work.expectations) {
    std::swap(expected.old_thumbprint, expected.new_thumbprint);
    std::swap(expected.old_type, expected.new_type);
    expected.in_memory.reset();
    expected.new_above.clear();  // the journal does not have the old one's chain
    expected.answered = true;    // endpoints are asked again whether they answer
  }
  return work;
}

// Endpoints that were proven after a restart, which nobody allows any more.
void leave_out_waiting(const Survey& survey, std::vector<Expectation>& expectations) {
  for (const SurveyedBinding& bound : survey.bindings)
    if (bound.waits_for_restart())
      for (const Endpoint& endpoint : bound.binding.endpoints)
        std::erase_if(expectations, [&](const Expectation& expected) {
          return expected.address == endpoint.address;
        });
}

std::string story_of(const TransactionRow& row) {
  std::vector<std::string> pairs;
  for (const JournalSuccession& succession : row.record.successions)
    pairs.push_back(fmt::format("{} replaces {}", succession.old_thumbprint.substr(0, 16),
                                succession.new_thumbprint.substr(0, 16)));
  return fmt::format("undo of transaction {}, the {} of {} UTC: {}", row.id, to_text(row.act),
                     to_text(row.started), join(pairs, ", "));
}

bool shares_a_file(const TransactionRow& writer, const TransactionRow& reader) {
  return std::ranges::any_of(writer.record.files, [&](const JournalFile& file) {
    return std::ranges::find(reader.record.loads, file.path) != reader.record.loads.end();
  });
}

// Transactions that wrote nothing, and only made their servers load what `writer` had written.
Result<std::vector<TransactionRow>> followers_of(Journal& journal, const TransactionRow& writer) {
  auto rows = journal.all();
  if (!rows) return pass(rows);
  std::vector<TransactionRow> followers;
  for (const TransactionRow& row : *rows) {
    if (row.id <= writer.id || row.service == writer.service || row.act == Act::undo) continue;
    if (row.outcome != Outcome::committed && row.outcome != Outcome::needs_operator) continue;
    auto whole = journal.find(row.id);
    if (!whole) return pass(whole);
    if (whole->record.files.empty() && shares_a_file(writer, *whole))
      followers.push_back(std::move(*whole));
  }
  return followers;
}

Result<TransactionResult> undo_one(const TransactionContext& context, const Services& services,
                                   const TransactionRow& row, bool decided) {
  // A configuration that cannot be read is no reason to leave it so.
  auto surveyed = survey(context.host, {row.service});
  if (surveyed) prefer_restarts(context.settings, *surveyed, context.host.clock.wall());
  const Service* service = find_service(surveyed ? surveyed->services : services, row.service);
  if (service == nullptr)
    return fail(Code::not_found, "undo", fmt::format("transaction {}", row.id),
                "its service " + row.service.text() + " is no longer found");
  auto files = files_to_undo(context, row);
  if (!files) return pass(files);
  TransactionRequest work = undo_work(row, *service, std::move(*files), decided);
  if (surveyed) {
    leave_out_waiting(*surveyed, work.expectations);
    keep_memory(context.prober, *surveyed, work);
  }
  auto account = carry_out(context, std::move(work));
  if (account) account->text = story_of(row) + "\n" + account->text;
  return account;
}

Result<std::vector<TransactionResult>> undo_with_followers(const TransactionContext& context,
                                                           const TransactionRow& row,
                                                           bool decided) {
  auto followers = followers_of(context.journal, row);
  if (!followers) return pass(followers);
  std::vector<ServiceId> ids = {row.service};
  for (const TransactionRow& follower : *followers) ids.push_back(follower.service);
  auto services = find_services(context.host, ids);
  if (!services) return pass(services);
  auto first = undo_one(context, *services, row, decided);
  if (!first) return pass(first);
  std::vector<TransactionResult> accounts = {std::move(*first)};
  if (accounts.front().outcome != Outcome::committed) return accounts;
  for (const TransactionRow& follower : *followers) {
    auto account = undo_one(context, *services, follower, decided);
    accounts.push_back(account ? std::move(*account)
                               : TransactionResult{.service = follower.service,
                                                   .outcome = Outcome::needs_operator,
                                                   .text = account.error().message()});
  }
  return accounts;
}

// The pairs that are proven again are kept for later restores.
void keep_what_is_back(const TransactionContext& context, const TransactionRow& row,
                       std::vector<TransactionResult>& accounts) {
  std::vector<std::string> back;
  for (const JournalSuccession& succession : row.record.successions)
    back.push_back(succession.old_thumbprint);
  for (TransactionResult& account : accounts) {
    if (account.outcome != Outcome::committed || account.owed) continue;
    auto surveyed = survey(context.host, {account.service});
    tell_if_not(
        surveyed ? keep_put_back(context.host, context.settings, *surveyed, account.service, back)
                 : Done(pass(surveyed)),
        account);
  }
}

}  // namespace

void take_back(const TransactionContext& context, int64_t id, TransactionResult& failed,
               std::vector<TransactionResult>& accounts) {
  auto row = context.journal.find(id);
  auto undone = row ? undo_with_followers(context, *row, false)
                    : Result<std::vector<TransactionResult>>(pass(row));
  if (!undone) {
    failed.text += fmt::format("\ntransaction {} wrote its files and could not be undone: {}", id,
                               undone.error().message());
    return;
  }
  failed.text += fmt::format("\ntransaction {}, which wrote its files, was undone", id);
  for (TransactionResult& account : accounts) account.taken_back |= account.transaction == id;
  bool all_back = std::ranges::all_of(
      *undone, [](const TransactionResult& each) { return each.outcome == Outcome::committed; });
  if (all_back && failed.outcome == Outcome::needs_operator) failed.outcome = Outcome::rolled_back;
  std::ranges::move(*undone, std::back_inserter(accounts));
}

Result<std::vector<TransactionResult>> undo(const TransactionContext& context,
                                            const std::vector<ServiceId>& only,
                                            const UndoRequest& request) {
  auto found = rows_to_undo(context, request, only);
  if (!found) return pass(found);
  auto sightings = remembered(context.state.database());
  KnownCertificates known;
  if (sightings) known.add_seen(*sightings);
  for (const TransactionRow& row : *found) {
    if (Done valid = still_valid(known, row, context.host.clock.wall()); !valid) return pass(valid);
    if (Done used = is_used_still(context, row); !used) return pass(used);
  }
  std::vector<TransactionResult> all;
  for (const TransactionRow& row : *found) {
    auto accounts = undo_with_followers(context, row, true);
    if (!accounts && all.empty()) return accounts;
    if (!accounts) {
      all.push_back({.service = row.service,
                     .outcome = Outcome::refused,
                     .text = accounts.error().message()});
      continue;
    }
    keep_what_is_back(context, row, *accounts);
    if (found->size() == 1) tell_of_the_rest(context.journal, row, only, accounts->front());
    std::ranges::move(*accounts, std::back_inserter(all));
  }
  return all;
}

}  // namespace certrebind
