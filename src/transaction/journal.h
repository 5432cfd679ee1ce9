// The journal stores every transaction's record and phase in the database. A phase is durable
// before its action begins. A phase and its event are written in one database transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/events.h"
#include "state/state.h"
#include "transaction/record.h"

namespace certrebind {

class Journal {
 public:
  Journal(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // Writes the record with phase `planned` and the event `started`; returns the row.
  Result<TransactionRow> begin(Act act, const ServiceId& service, JournalRecord record,
                               std::optional<int64_t> undoes);
  Done mark(TransactionRow& row, Phase phase);
  // Writes the record again, with what was learned before the files are touched.
  Done update_record(const TransactionRow& row);
  // Call before every swap of files. Returns the number of the set, from 0.
  Result<int> next_set(TransactionRow& row);
  Done end(TransactionRow& row, const Ending& ending);
  // The server now serves the certificate whose proof was owed.
  Done paid(TransactionRow& row);

  // True if we made the service load this file (a real path) at `since` or later.
  Result<bool> loaded_since(const ServiceId& service, const std::string& path, WallTime since);

  Result<std::vector<TransactionRow>> unfinished();
  Result<std::vector<TransactionRow>> owed();
  Result<std::vector<TransactionRow>> all();  // oldest first; records contain only the successions
  Result<TransactionRow> find(int64_t id);    // Code::not_found

 private:
  void write_record(const TransactionRow& row);
  Event event_of(const TransactionRow& row, EventId id, std::string message) const;
  void log_committed(const TransactionRow& row, const std::string& message);
  Result<std::vector<TransactionRow>> select(const char* record, const std::string& where);

  Database& database_;
  const Clock& clock_;
};

// Unfinished transactions that no running process is working on.
Result<std::vector<TransactionRow>> interrupted(const Settings& settings, Journal& journal);

// A digest that identifies a file's content.
std::string content_digest(const std::string& bytes);

}  // namespace certrebind
