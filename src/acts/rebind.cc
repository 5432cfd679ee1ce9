#include "acts/rebind.h"

#include <fmt/format.h>

#include <algorithm>

#include "lifecycle/details.h"
#include "store/successions.h"

namespace certrebind {

namespace {

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
          .message = fmt::format("{} replaces {}: {}", leaf.thumbprint.brief(),
                                 succession.old_one.thumbprint.brief(), to_text(succession.how)),
          .details = replaced_details(succession)};
}

// The plan was dropped with its bindings, so the certificates are known only if one pair was asked.
Event refused_event(const Prepared& prepared, const Plan& plan, const Finding& finding,
                    WallTime now) {
  Event event{.id = EventId::refused,
              .at = now,
              .service = plan.request.service->id().text(),
              .message = finding.sentence};
  if (prepared.successions.size() != 1) return event;
  const Succession& succession = prepared.successions.front();
  event.old_thumbprint = succession.old_one.thumbprint.hex();
  event.new_thumbprint = succession.new_thumbprint().hex();
  event.names = succession.old_one.bundle.leaf.outline.names;
  return event;
}

KnownSuccession known_from(const Succession& succession) {
  return {.old_thumbprint = succession.old_one.thumbprint.hex(),
          .new_thumbprint = succession.new_thumbprint().hex(),
          .how = succession.how,
          .renewer = succession.renewer,
          .path = succession.new_one.files.certificate,
          .accepted = succession.accepted};
}

bool failed_for(const Service& service, const std::vector<TransactionResult>& accounts) {
  return std::ranges::any_of(accounts, [&](const TransactionResult& account) {
    return account.service == service.id() &&
           (account.outcome != Outcome::committed || account.taken_back);
  });
}

// However often a rebind is tried, its succession is one, until it is declared the other way round.
bool is_logged(Database& database, const Succession& succession) {
  SQLite::Statement select(database.handle(),
                           "SELECT old FROM events WHERE id = ?1 AND ((old = ?2 AND new = ?3) OR "
                           "(old = ?3 AND new = ?2)) ORDER BY record DESC LIMIT 1");
  const std::string old_thumbprint = succession.old_one.thumbprint.hex();
  select.bind(1, static_cast<int>(EventId::replaced));
  select.bind(2, old_thumbprint);
  select.bind(3, succession.new_thumbprint().hex());
  return select.executeStep() && select.getColumn(0).getString() == old_thumbprint;
}

}  // namespace

Done log_declared(Database& database, const Prepared& prepared, WallTime now) {
  return database.atomically("log the succession", [&] {
    for (const Succession& succession : prepared.successions)
      if (prepared.acts_on(succession) && !succession.is_forced() &&
          !is_logged(database, succession))
        append_event(database, replaced_event(succession, now));
    for (const Plan& plan : prepared.plans)
      for (const Finding& finding : plan.findings)
        if (finding.severity == Severity::error)
          append_event(database, refused_event(prepared, plan, finding, now));
  });
}

// A succession that was declared earlier is found again while it stands; it was logged when it was
// declared.
Done log_found(Database& database, const Prepared& prepared, WallTime now) {
  return database.atomically("log the succession", [&] {
    for (const Succession& succession : prepared.successions)
      if (add_succession(database, known_from(succession), now))
        append_event(database, replaced_event(succession, now));
  });
}

Done make_standing(Database& database, const Prepared& prepared,
                   const std::vector<TransactionResult>& accounts, WallTime now) {
  return database.atomically("remember the succession", [&] {
    for (const Succession& succession : prepared.successions) {
      KnownSuccession known = known_from(succession);
      bool has_failed = std::ranges::all_of(
          prepared.servers_for(succession),
          [&](const Service* service) { return failed_for(*service, accounts); });
      if (!has_failed && known.old_thumbprint != known.new_thumbprint)
        declare_succession(database, known, now);
    }
  });
}

Done announce(Database& database, const Prepared& prepared, WallTime now) {
  return database.atomically("log the succession", [&] {
    for (const Succession& succession : prepared.successions)
      append_event(database, replaced_event(succession, now));
  });
}

Result<std::vector<TransactionResult>> recover_all(const TransactionContext& context) {
  auto rows = context.journal.unfinished();
  if (!rows) return pass(rows);
  std::vector<TransactionResult> accounts;
  for (TransactionRow& row : *rows) {
    auto services = find_services(context.host, {row.service});
    const Service* service = services ? find_service(*services, row.service) : nullptr;
    auto account = recover(context, service, std::move(row));
    if (!account) return pass(account);
    accounts.push_back(std::move(*account));
  }
  return accounts;
}

}  // namespace certrebind
