#include "rebind/rebind.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "base/text.h"
#include "lifecycle/details.h"
#include "rebind/file_swap.h"
#include "rebind/keep.h"
#include "store/successions.h"

namespace certrebind {

namespace {

// Asks what the bindings serve whose files hold a NEW already.
ServedNow look_at_served(const Prober& prober, const Survey& survey,
                         const std::vector<Succession>& successions) {
  ServedNow served;
  for (const SurveyedBinding* bound : needs_look(survey, successions)) {
    std::vector<Target> targets;
    auto leaf = Certificate::parse(bound->disk->der);
    KeyType type = leaf ? leaf->key_type : KeyType::other;
    for (const Expectation& expected : expectations_of(bound->binding, {}, type, {}, type))
      targets.push_back(expected.old_target());
    for (Result<Served>& shown : prober.handshake_all(targets))
      if (shown) served[bound].push_back(shown->thumbprint);
  }
  return served;
}

// What is served counts as known too; asking costs handshakes, so only where nothing else fits.
void add_all_served(const Prober& prober, const Survey& survey, KnownCertificates& known) {
  std::vector<Target> targets;
  for (const SurveyedBinding& bound : survey.bindings)
    for (const Expectation& expected :
         expectations_of(bound.binding, {}, KeyType::other, {}, KeyType::other))
      targets.push_back(expected.old_target());
  for (Result<Served>& shown : prober.handshake_all(targets))
    if (shown) known.add_served(shown->leaf_der);
}

Result<OldCertificate> identify_old_anywhere(const Host& host, const Prober& prober,
                                             const Survey& survey, KnownCertificates& known,
                                             const std::string& typed) {
  auto old_one = identify_old(host.files, known, typed);
  if (old_one || is_path(typed) || old_one.error().code != Code::not_found) return old_one;
  add_all_served(prober, survey, known);
  return identify_old(host.files, known, typed);
}

// One OLD has one NEW, and no way leads back: A->B with B->A would come to nothing.
Done contradict_nothing(const std::vector<Succession>& successions) {
  std::map<Thumbprint, Thumbprint> next;
  for (const Succession& succession : successions) {
    const Thumbprint& old_one = succession.old_one.thumbprint;
    const Thumbprint& new_one = succession.new_one.bundle.leaf.outline.thumbprint;
    auto [known, is_new] = next.emplace(old_one, new_one);
    if (!is_new && known->second != new_one)
      return fail(Code::usage, "rebind", old_one.brief(),
                  fmt::format("it cannot be succeeded by both {} and {}", known->second.brief(),
                              new_one.brief()));
  }
  for (const auto& [first, second] : next) {
    if (first == second) continue;
    auto hop = next.find(second);
    for (size_t hops = 0; hop != next.end() && hop->second != hop->first && hops < next.size();
         ++hops) {
      if (hop->second == first)
        return fail(Code::usage, "rebind", first.brief(), "the successions lead back to it");
      hop = next.find(hop->second);
    }
  }
  return {};
}

// A->B and B->C: what holds A goes straight to C.
void follow_chains(std::vector<Succession>& successions) {
  for (Succession& succession : successions)
    for (size_t hops = 0; hops < successions.size(); ++hops) {
      const Thumbprint& end = succession.new_one.bundle.leaf.outline.thumbprint;
      auto next = std::ranges::find_if(successions, [&](const Succession& other) {
        return &other != &succession && other.old_one.thumbprint == end &&
               other.new_one.bundle.leaf.outline.thumbprint != end;
      });
      if (next == successions.end()) break;
      succession.new_one = next->new_one;
    }
}

std::string replaced_details(const Succession& succession) {
  const OldCertificate& old_one = succession.old_one;
  const NewCertificate& new_one = succession.new_one;
  return details_of(ReplacedDetails{.old_one = {old_one.bundle.leaf.der, ""},
                                    .new_one = {new_one.bundle.leaf.der, new_one.files.certificate},
                                    .how = succession.how,
                                    .renewer = succession.renewer,
                                    .key_path = new_one.files.key});
}

Event replaced_event(const Succession& succession, WallTime now) {
  const CertificateOutline& leaf = succession.new_one.bundle.leaf.outline;
  return {.id = EventId::replaced,
          .at = now,
          .old_thumbprint = succession.old_one.thumbprint.hex(),
          .new_thumbprint = leaf.thumbprint.hex(),
          .names = leaf.names,
          .message = fmt::format("{} succeeds {}: {}", leaf.thumbprint.brief(),
                                 succession.old_one.thumbprint.brief(), succession.how),
          .details = replaced_details(succession)};
}

// Remembers it. What the daemon noticed is logged already; what a person declares is said each
// time.
bool is_to_be_told(Database& database, const Succession& succession, WallTime now) {
  const Thumbprint& new_one = succession.new_one.bundle.leaf.outline.thumbprint;
  KnownSuccession known{.old_thumbprint = succession.old_one.thumbprint.hex(),
                        .new_thumbprint = new_one.hex(),
                        .how = succession.how,
                        .renewer = succession.renewer,
                        .path = succession.new_one.files.certificate};
  if (succession.how != "declared") return add_succession(database, known, now);
  if (succession.old_one.thumbprint != new_one) declare_succession(database, known, now);
  return true;
}

// What was refused, or is bound nowhere, is no standing order for the daemon: `switch` gives one.
bool is_acted_on(const Prepared& prepared, const Succession& succession) {
  if (succession.how != "declared") return true;
  return std::ranges::any_of(prepared.plans, [&](const Plan& plan) {
    return std::ranges::any_of(plan.bindings, [&](const PlannedBinding& planned) {
      return planned.succession == &succession;
    });
  });
}

std::string why_idle(const Prepared& prepared, const Succession& succession,
                     const ServedNow& served) {
  const std::string old_text = succession.old_one.thumbprint.brief();
  const Thumbprint& new_thumbprint = succession.new_one.bundle.leaf.outline.thumbprint;
  for (const SurveyedBinding& bound : prepared.survey.bindings)
    if (bound.holds(new_thumbprint) && served.contains(&bound))
      return fmt::format("{} is bound nowhere; {} is bound and served already", old_text,
                         new_thumbprint.brief());
  return fmt::format("{} is bound nowhere{}", old_text,
                     prepared.survey.services.found.empty() ? ": no server was found" : "");
}

bool concerns(const Prepared& prepared, const Succession& succession) {
  return std::ranges::any_of(prepared.plans, [&](const Plan& plan) {
    return !plan.findings.empty() ||
           std::ranges::any_of(plan.bindings, [&](const PlannedBinding& planned) {
             return planned.succession == &succession;
           });
  });
}

std::vector<JournalSuccession> successions_of(const Plan& plan) {
  std::vector<JournalSuccession> result;
  for (const PlannedBinding& planned : plan.bindings) {
    std::string old_text = planned.succession->old_one.thumbprint.hex();
    std::string new_text = planned.succession->new_one.bundle.leaf.outline.thumbprint.hex();
    auto known = std::ranges::find_if(result, [&](const JournalSuccession& succession) {
      return succession.old_thumbprint == old_text && succession.new_thumbprint == new_text;
    });
    if (known == result.end()) known = result.insert(result.end(), {old_text, new_text, {}});
    known->sites.push_back(planned.bound->binding.site);
  }
  return result;
}

// What the server is to take up: the files that are replaced, and those that lie there already.
std::vector<std::string> loads_of(const Files& files, const Plan& plan) {
  std::set<std::string> paths;
  for (const PlannedFile& file : plan.files) paths.insert(file.path);
  for (const PlannedBinding& planned : plan.bindings) {
    if (planned.kind != PlanKind::reload) continue;
    const Binding& binding = planned.bound->binding;
    for (const std::string& path : {binding.certificate.path, binding.key.path})
      if (auto real = files.real_path(path)) paths.insert(*real);
  }
  return {paths.begin(), paths.end()};
}

const Service* find_service(const Services& services, const ServiceId& id) {
  for (const auto& service : services.found)
    if (service->id() == id) return service.get();
  return nullptr;
}

// The last rebind or restore that changed files and was not undone since.
Result<TransactionRow> last_to_undo(Journal& journal) {
  auto rows = journal.all();
  if (!rows) return pass(rows);
  std::set<int64_t> undone;
  for (const TransactionRow& row : *rows | std::views::reverse) {
    if (row.outcome != Outcome::committed || undone.contains(row.id)) continue;
    if (row.undoes) undone.insert(*row.undoes);
    if (row.act == "undo") continue;
    auto whole = journal.find(row.id);
    if (!whole || !whole->record.files.empty()) return whole;
  }
  return fail(Code::not_found, "undo", "", "there is no rebind that is not undone already",
              "certrebind history");
}

Result<TransactionRow> row_to_undo(Journal& journal, int64_t id) {
  if (id == 0) return last_to_undo(journal);
  auto row = journal.find(id);
  if (!row) return row;
  std::string subject = "transaction " + std::to_string(id);
  if (row->outcome != Outcome::committed)
    return fail(Code::usage, "undo", subject, "it was not committed: it changed nothing",
                "certrebind history");
  if (row->record.files.empty())
    return fail(Code::usage, "undo", subject,
                "it only reloaded what somebody else had written: it changed no file");
  return row;
}

// The files as they were, where they still are what the transaction made of them.
Result<std::vector<PlannedFile>> files_to_undo(const Bench& bench, const TransactionRow& row) {
  std::vector<PlannedFile> files;
  for (size_t index = 0; index < row.record.files.size(); ++index) {
    const JournalFile& file = row.record.files[index];
    auto now = bench.host.files.read(file.path, kConfigLimit);
    if (!now) return pass(now);
    if (content_digest(*now) != file.after_digest)
      return fail(Code::raced, "undo", fmt::format("transaction {}", row.id),
                  file.path + " was changed since", "put it right by hand");
    auto before = read_before_image(bench.host.files, bench.state, row, index);
    if (!before) return pass(before);
    files.push_back({.path = file.path,
                     .before = std::move(*now),
                     .after = std::move(*before),
                     .secret = true,
                     .what = {}});
  }
  return files;
}

Done still_valid(const KnownCertificates& known, const TransactionRow& row, WallTime now) {
  for (const JournalSuccession& succession : row.record.successions) {
    auto old_one = known.find(succession.old_thumbprint);
    if (old_one && old_one->outline.not_after < now)
      return fail(Code::usage, "undo", fmt::format("transaction {}", row.id),
                  fmt::format("the certificate it would bring back expired on {} UTC",
                              to_text(old_one->outline.not_after)));
  }
  return {};
}

// What a person takes back is not made again by itself.
Done note_undone(const Bench& bench, const TransactionRow& row) {
  return bench.state.database().atomically("note what was undone", [&] {
    for (const JournalSuccession& succession : row.record.successions)
      declare_succession(bench.state.database(),
                         {.old_thumbprint = succession.old_thumbprint,
                          .new_thumbprint = succession.new_thumbprint,
                          .how = "undone",
                          .renewer = "",
                          .path = ""},
                         bench.host.clock.wall());
  });
}

Work undo_work(const TransactionRow& row, const Service& service, std::vector<PlannedFile> files) {
  Work work{.act = "undo",
            .service = &service,
            .files = std::move(files),
            .successions = row.record.successions,
            .expectations = row.record.expectations,
            .unproven = {},
            .undoes = row.id};
  for (const PlannedFile& file : work.files) work.loads.push_back(file.path);
  for (JournalSuccession& succession : work.successions)
    std::swap(succession.old_thumbprint, succession.new_thumbprint);
  for (Expectation& expected : work.expectations) {
    std::swap(expected.old_thumbprint, expected.new_thumbprint);
    std::swap(expected.old_type, expected.new_type);
    expected.answered = true;  // who does not answer today is found out anew
  }
  return work;
}

}  // namespace

bool Prepared::refused() const {
  return std::ranges::any_of(plans, [](const Plan& plan) { return refuses(plan.findings); });
}

Result<Prepared> prepare(const Host& host, const Settings& settings, const Prober& prober,
                         const std::vector<Sighting>& sightings, const RebindRequest& request) {
  auto surveyed = survey(host, request.only);
  if (!surveyed) return pass(surveyed);
  compare_with_servers(host, *surveyed);
  if (request.leave_out)
    for (SurveyedBinding& bound : surveyed->bindings) bound.left_alone = request.leave_out(bound);
  Prepared prepared{.survey = std::move(*surveyed), .successions = {}, .plans = {}, .idle = {}};
  KnownCertificates known;
  known.add_stored(host.files, settings.stores);
  known.add_bound(prepared.survey);
  known.add_seen(sightings);
  for (const RequestedPair& pair : request.pairs) {
    auto old_one = identify_old_anywhere(host, prober, prepared.survey, known, pair.old_one);
    if (!old_one) return pass(old_one);
    auto new_one = identify_new(host.files, known, settings.stores, pair.new_one, pair.key_path);
    if (!new_one) return pass(new_one);
    prepared.successions.push_back(
        {std::move(*old_one), std::move(*new_one), pair.how, pair.renewer});
  }
  if (Done consistent = contradict_nothing(prepared.successions); !consistent)
    return pass(consistent);
  follow_chains(prepared.successions);
  ServedNow served = look_at_served(prober, prepared.survey, prepared.successions);
  PlanContext context{.files = host.files,
                      .settings = settings,
                      .survey = prepared.survey,
                      .sightings = sightings,
                      .served = served,
                      .preference = request.preference,
                      .now = host.clock.wall()};
  prepared.plans = make_plans(context, prepared.successions);
  for (const Succession& succession : prepared.successions)
    if (!concerns(prepared, succession))
      prepared.idle.push_back(why_idle(prepared, succession, served));
  return prepared;
}

Done declare(Database& database, const Prepared& prepared, WallTime now, bool tell_refusals) {
  return database.atomically("log the succession", [&] {
    for (const Succession& succession : prepared.successions)
      if (is_acted_on(prepared, succession) && is_to_be_told(database, succession, now))
        append_event(database, replaced_event(succession, now));
    if (!tell_refusals) return;
    for (const Plan& plan : prepared.plans)
      for (const Finding& finding : plan.findings)
        if (finding.severity == Severity::error)
          append_event(database, {.id = EventId::refused,
                                  .at = now,
                                  .service = plan.service->id().text(),
                                  .message = finding.sentence});
  });
}

Done announce(Database& database, const Prepared& prepared, WallTime now) {
  return database.atomically("log the succession", [&] {
    for (const Succession& succession : prepared.successions)
      append_event(database, replaced_event(succession, now));
  });
}

std::vector<Account> carry_out_all(const Bench& bench, const Prepared& prepared) {
  std::vector<Account> accounts;
  for (const Plan& plan : prepared.plans) {
    if (plan.does_nothing()) continue;
    auto account = carry_out(bench, {.act = "rebind",
                                     .service = plan.service,
                                     .files = plan.files,
                                     .successions = successions_of(plan),
                                     .expectations = plan.expectations,
                                     .unproven = plan.unproven,
                                     .undoes = {},
                                     .loads = loads_of(bench.host.files, plan)});
    if (account) {
      if (account->outcome == Outcome::committed && !account->owed)
        if (Done kept = keep_planned(bench.host, bench.settings, plan); !kept)
          account->text += "\nit could not be kept for a later restore: " + kept.error().message();
      accounts.push_back(std::move(*account));
    } else {
      accounts.push_back({.transaction = 0,
                          .service = plan.service->id(),
                          .outcome = Outcome::needs_operator,
                          .owed = false,
                          .text = account.error().message()});
    }
  }
  return accounts;
}

Result<Account> undo(const Bench& bench, const std::vector<ServiceId>& only, int64_t id) {
  auto row = row_to_undo(bench.journal, id);
  if (!row) return pass(row);
  auto services = find_services(bench.host, only.empty() ? std::vector{row->service} : only);
  if (!services) return pass(services);
  const Service* service = find_service(*services, row->service);
  if (service == nullptr)
    return fail(Code::not_found, "undo", fmt::format("transaction {}", row->id),
                "its service " + row->service.text() + " is not found any more");
  auto sightings = remembered(bench.state.database());
  KnownCertificates known;
  if (sightings) known.add_seen(*sightings);
  if (Done valid = still_valid(known, *row, bench.host.clock.wall()); !valid) return pass(valid);
  auto files = files_to_undo(bench, *row);
  if (!files) return pass(files);
  auto account = carry_out(bench, undo_work(*row, *service, std::move(*files)));
  if (!account || account->outcome != Outcome::committed) return account;
  if (Done noted = note_undone(bench, *row); !noted) return pass(noted);
  return account;
}

Result<std::vector<Account>> recover_all(const Bench& bench) {
  auto rows = bench.journal.unfinished();
  if (!rows) return pass(rows);
  std::vector<Account> accounts;
  for (TransactionRow& row : *rows) {
    auto services = find_services(bench.host, {row.service});
    const Service* service = services ? find_service(*services, row.service) : nullptr;
    auto account = recover(bench, service, std::move(row));
    if (!account) return pass(account);
    accounts.push_back(std::move(*account));
  }
  return accounts;
}

}  // namespace certrebind
