// The journal: every transaction's record and how far it came, in the database. A phase is durable
// before its act begins; a phase mark and its event are one database transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/events.h"
#include "transaction/mode_change.h"
#include "proof/proof.h"
#include "service/service.h"
#include "state/state.h"

namespace certrebind {

enum class Phase {
  planned,
  staged,
  swapping,
  swapped,
  tested,
  reloading,
  verifying,
  committed,
  restoring,
  restored,
  refused,
  stuck,  // ended, and a person has to look
};
std::string to_text(Phase phase);

enum class Outcome { committed, rolled_back, refused, needs_operator };
std::string to_text(Outcome outcome);

// A file that the transaction replaces. Its before-image is NUMBER in State::before_directory.
struct JournalFile {
  std::string path;
  std::string before_digest;  // SHA-256 of the content, hex
  std::string after_digest;
  std::string staging;  // the directory in which what is made on the way has its names
  bool was_absent = false;
  std::optional<ModeChange> mode = {};
};

struct JournalSuccession {
  std::string old_thumbprint;
  std::string new_thumbprint;
  std::vector<std::string> sites;
};

struct JournalRecord {
  std::string token;  // makes the names of what is staged unique
  std::vector<JournalFile> files;
  std::vector<JournalSuccession> successions;
  std::vector<Expectation> expectations;
  std::vector<std::string> loads = {};  // real paths of what the server is to take up
  bool mends = false;                   // as in Work
  // Sites of the server that nothing is changed for, and that answered before: a reload must not
  // silence them.
  std::vector<Expectation> others = {};
  bool decided = false;  // as in Work
};

struct TransactionRow {
  int64_t id = 0;
  std::string act;  // "rebind", "undo" or "restore"
  ServiceId service;
  Phase phase = Phase::planned;
  std::optional<Outcome> outcome;  // unset: it runs, or was interrupted
  WallTime started;
  std::optional<WallTime> ended;
  std::optional<int64_t> undoes;
  bool owed = false;
  int sets = 0;
  std::string account;
  JournalRecord record;
};

struct Ending {
  Phase phase = Phase::committed;
  Outcome outcome = Outcome::committed;
  std::string account;  // lines for people
  bool owed = false;
  std::vector<EventId> events;  // what else to log than the outcome's own
};

class Journal {
 public:
  Journal(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // Writes the record with phase `planned` and the event `started`; gives the row.
  Result<TransactionRow> begin(const std::string& act, const ServiceId& service,
                               JournalRecord record, std::optional<int64_t> undoes);
  Done mark(TransactionRow& row, Phase phase);
  // Writes the record anew: what was learned before the files are touched.
  Done update_record(const TransactionRow& row);
  // Before files are swapped (again): the number of the set, from 0.
  Result<int> next_set(TransactionRow& row);
  Done end(TransactionRow& row, const Ending& ending);
  // The server was seen to serve what it owed.
  Done paid(TransactionRow& row);

  // Whether the service was made to take up this file (a real path) at that time or later.
  Result<bool> loaded_since(const ServiceId& service, const std::string& path, WallTime since);

  Result<std::vector<TransactionRow>> unfinished();
  Result<std::vector<TransactionRow>> owed();
  Result<std::vector<TransactionRow>> all();  // oldest first, of the record only the successions
  Result<TransactionRow> find(int64_t id);    // Code::not_found

 private:
  void write_record(const TransactionRow& row);
  Event event_of(const TransactionRow& row, EventId id, std::string message) const;
  Result<std::vector<TransactionRow>> select(const char* record, const std::string& where);

  Database& database_;
  const Clock& clock_;
};

// A digest of a file's content, to know it again.
std::string content_digest(const std::string& bytes);

}  // namespace certrebind
