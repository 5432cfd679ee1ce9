#include "transaction/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "store/successions.h"
#include "transaction/record_json.h"

namespace certrebind {

namespace {

int64_t milliseconds_of(WallTime time) {
  return time.time_since_epoch().count();
}

ServiceId service_of(const std::string& text) {
  size_t colon = text.find(':');
  return {.kind = text.substr(0, colon), .path = text.substr(colon + 1)};
}

TransactionRow row_of(SQLite::Statement& select) {
  TransactionRow row;
  row.id = select.getColumn("id").getInt64();
  row.act = act_named(select.getColumn("act").getString());
  row.service = service_of(select.getColumn("service").getString());
  row.phase = phase_named(select.getColumn("phase").getString());
  if (!select.getColumn("outcome").isNull())
    row.outcome = outcome_named(select.getColumn("outcome").getString());
  row.started = WallTime(milliseconds(select.getColumn("started_ms").getInt64()));
  if (!select.getColumn("ended_ms").isNull())
    row.ended = WallTime(milliseconds(select.getColumn("ended_ms").getInt64()));
  if (!select.getColumn("undoes").isNull()) row.undoes = select.getColumn("undoes").getInt64();
  row.owed = select.getColumn("owed").getInt() != 0;
  row.sets = select.getColumn("sets").getInt();
  row.account = select.getColumn("account").getString();
  return row;
}

std::vector<std::string> sites_of(const JournalRecord& record) {
  std::vector<std::string> sites;
  for (const JournalSuccession& succession : record.successions)
    sites.insert(sites.end(), succession.sites.begin(), succession.sites.end());
  return sites;
}

// A certificate that a person removed does not come back automatically.
void note_unwanted(Database& database, const JournalRecord& record, WallTime now) {
  for (const JournalSuccession& each : record.successions)
    if (!each.old_thumbprint.empty() && each.old_thumbprint != each.new_thumbprint)
      declare_succession(database,
                         {.old_thumbprint = each.new_thumbprint,
                          .new_thumbprint = each.old_thumbprint,
                          .how = How::undone,
                          .renewer = "",
                          .path = ""},
                         now);
}

// The first line, and the next one if the first ends with a colon.
std::string headline_of(const std::string& account) {
  std::string headline;
  for (const std::string& line : split(account, '\n')) {
    headline += (headline.empty() ? "" : " ") + std::string(trim(line));
    if (!headline.ends_with(':')) break;
  }
  return headline;
}

}  // namespace

std::string content_digest(const std::string& bytes) {
  return Thumbprint::of_der(bytes).hex();
}

Event Journal::event_of(const TransactionRow& row, EventId id, std::string message) const {
  Event event{.record = 0,
              .id = id,
              .at = clock_.wall(),
              .transaction = row.id,
              .service = row.service.text(),
              .names = sites_of(row.record),
              .message = std::move(message)};
  if (row.record.successions.empty()) return event;
  event.old_thumbprint = row.record.successions.front().old_thumbprint;
  event.new_thumbprint = row.record.successions.front().new_thumbprint;
  event.details = succession_details(database_, event.old_thumbprint, event.new_thumbprint);
  return event;
}

// Tasks that deploy what is proven wait for this event and get one certificate from it. So it is
// logged once for each succession.
void Journal::log_committed(const TransactionRow& row, const std::string& message) {
  Event event = event_of(row, EventId::committed, message);
  if (row.record.successions.size() < 2) {
    append_event(database_, event);
    return;
  }
  for (const JournalSuccession& succession : row.record.successions) {
    event.old_thumbprint = succession.old_thumbprint;
    event.new_thumbprint = succession.new_thumbprint;
    event.names = succession.sites;
    event.details = succession_details(database_, event.old_thumbprint, event.new_thumbprint);
    append_event(database_, event);
  }
}

Result<TransactionRow> Journal::begin(Act act, const ServiceId& service, JournalRecord record,
                                      std::optional<int64_t> undoes) {
  TransactionRow row;
  row.act = act;
  row.service = service;
  row.started = clock_.wall();
  row.undoes = undoes;
  row.record = std::move(record);
  Done done = database_.atomically("begin the transaction", [&] {
    SQLite::Statement insert(database_.handle(),
                             "INSERT INTO transactions (act, service, phase, started_ms, undoes) "
                             "VALUES (?, ?, ?, ?, ?)");
    insert.bind(1, to_text(row.act));
    insert.bind(2, row.service.text());
    insert.bind(3, to_text(row.phase));
    insert.bind(4, milliseconds_of(row.started));
    if (undoes) insert.bind(5, *undoes);
    insert.exec();
    row.id = database_.handle().getLastInsertRowid();
    write_record(row);
    append_event(database_, event_of(row, EventId::started, to_text(row.act) + " begins"));
  });
  if (!done) return pass(done);
  return row;
}

Done Journal::mark(TransactionRow& row, Phase phase) {
  Done done = database_.atomically("mark the phase", [&] {
    SQLite::Statement update(database_.handle(), "UPDATE transactions SET phase = ? WHERE id = ?");
    update.bind(1, to_text(phase));
    update.bind(2, row.id);
    update.exec();
  });
  if (done) row.phase = phase;
  return done;
}

void Journal::write_record(const TransactionRow& row) {
  SQLite::Statement write(database_.handle(), "INSERT OR REPLACE INTO records VALUES (?, ?)");
  write.bind(1, row.id);
  write.bind(2, record_to_json(row.record));
  write.exec();
}

Done Journal::update_record(const TransactionRow& row) {
  return database_.atomically("write the record", [&] { write_record(row); });
}

Result<int> Journal::next_set(TransactionRow& row) {
  Done done = database_.atomically("count the set", [&] {
    SQLite::Statement update(database_.handle(), "UPDATE transactions SET sets = ? WHERE id = ?");
    update.bind(1, row.sets + 1);
    update.bind(2, row.id);
    update.exec();
  });
  if (!done) return pass(done);
  return row.sets++;
}

Done Journal::end(TransactionRow& row, const Ending& ending) {
  return database_.atomically("end the transaction", [&] {
    SQLite::Statement update(database_.handle(),
                             "UPDATE transactions SET phase = ?, outcome = ?, ended_ms = ?, "
                             "owed = ?, account = ? WHERE id = ?");
    update.bind(1, to_text(ending.phase));
    update.bind(2, to_text(ending.outcome));
    update.bind(3, milliseconds_of(clock_.wall()));
    update.bind(4, ending.owed ? 1 : 0);
    update.bind(5, ending.account);
    update.bind(6, row.id);
    update.exec();
    if (ending.outcome == Outcome::committed && row.record.decided)
      note_unwanted(database_, row.record, clock_.wall());
    if (ending.outcome == Outcome::committed) {
      // What earlier transactions still owe concerns other certificates. This transaction's proof
      // replaces it.
      SQLite::Statement settle(database_.handle(),
                               "UPDATE transactions SET owed = 0 WHERE service = ? AND id < ?");
      settle.bind(1, row.service.text());
      settle.bind(2, row.id);
      settle.exec();
    }
    const std::string message = headline_of(ending.account);
    for (EventId id : ending.events) append_event(database_, event_of(row, id, message));
    if (ending.outcome == Outcome::committed)
      log_committed(row, message);
    else
      append_event(database_, event_of(row, logged_as(ending.outcome), message));
  });
}

Done Journal::paid(TransactionRow& row) {
  return database_.atomically("note what was proven", [&] {
    SQLite::Statement update(database_.handle(), "UPDATE transactions SET owed = 0 WHERE id = ?");
    update.bind(1, row.id);
    update.exec();
    append_event(database_, event_of(row, EventId::proof_paid,
                                     "every owed handshake shows the new certificate"));
  });
}

Result<bool> Journal::loaded_since(const ServiceId& service, const std::string& path,
                                   WallTime since) {
  return database_.guarded("read the transactions", [&] {
    SQLite::Statement select(
        database_.handle(),
        "SELECT 1 FROM transactions JOIN records ON transaction_id = transactions.id, "
        "json_each(record, '$.loads') WHERE service = ? AND outcome = 'committed' AND ended_ms >= "
        "? AND json_each.value = ? LIMIT 1");
    select.bind(1, service.text());
    select.bind(2, milliseconds_of(since));
    select.bind(3, widen(path));
    return select.executeStep();
  });
}

Result<std::vector<TransactionRow>> Journal::select(const char* record, const std::string& where) {
  try {
    return database_.guarded("read the transactions", [&] {
      std::vector<TransactionRow> rows;
      SQLite::Statement select(
          database_.handle(),
          fmt::format(
              "SELECT id, act, service, phase, outcome, started_ms, ended_ms, undoes, owed, "
              "sets, account, {} AS record FROM transactions "
              "JOIN records ON transaction_id = id {} ORDER BY id",
              record, where));
      while (select.executeStep()) {
        rows.push_back(row_of(select));
        rows.back().record = record_from_json(select.getColumn("record").getString());
      }
      return rows;
    });
  } catch (const nlohmann::json::exception& error) {
    return fail(Code::failed, "read the transactions", "", error.what());
  }
}

Result<std::vector<TransactionRow>> Journal::unfinished() {
  return select("record", "WHERE outcome IS NULL");
}

Result<std::vector<TransactionRow>> Journal::owed() {
  return select("record", "WHERE owed = 1");
}

Result<std::vector<TransactionRow>> Journal::all() {
  // Records may hold thousands of files and expectations; a list needs only the successions.
  return select(
      "json_object('token', json_extract(record, '$.token'), 'files', json('[]'), "
      "'expectations', json('[]'), 'loads', json('[]'), "
      "'successions', json(json_extract(record, '$.successions')))",
      "");
}

Result<TransactionRow> Journal::find(int64_t id) {
  auto rows = select("record", fmt::format("WHERE id = {}", id));
  if (!rows) return pass(rows);
  if (rows->empty())
    return fail(Code::not_found, "find the transaction", std::to_string(id),
                "there is no such transaction", "certrebind history");
  return std::move(rows->front());
}

// Reads twice: a transaction that ends between the first read and the check of the lock is not
// interrupted.
Result<std::vector<TransactionRow>> interrupted(const Settings& settings, Journal& journal) {
  auto unfinished = journal.unfinished();
  if (!unfinished || unfinished->empty()) return unfinished;
  if (State::is_taken(settings)) return std::vector<TransactionRow>();
  return journal.unfinished();
}

}  // namespace certrebind
