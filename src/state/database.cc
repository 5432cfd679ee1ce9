#include "state/database.h"

#include <sqlite3.h>

#include <array>

#include "sys/clock.h"
#include "sys/disk.h"

namespace certrebind {

namespace {

// One string per version of the tables. A released version is never changed.
constexpr std::array kMigrations = {
    // 1: transactions with their journal, the event log, and the sightings.
    R"sql(
CREATE TABLE transactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  act TEXT NOT NULL,            -- rebind, undo
  service TEXT NOT NULL,        -- kind:path
  phase TEXT NOT NULL,
  outcome TEXT,                 -- null while it runs
  started_ms INTEGER NOT NULL,  -- wall clock, milliseconds since the epoch
  ended_ms INTEGER,
  undoes INTEGER REFERENCES transactions(id),
  owed INTEGER NOT NULL DEFAULT 0,  -- committed without handshakes: the server was down
  sets INTEGER NOT NULL DEFAULT 0,  -- how many times files were swapped: each has leftovers of its own
  account TEXT NOT NULL DEFAULT '',
  record TEXT NOT NULL          -- JSON: files, before-images, what to prove
);
CREATE TABLE events (
  record INTEGER PRIMARY KEY AUTOINCREMENT,
  id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  transaction_id INTEGER REFERENCES transactions(id),
  service TEXT NOT NULL DEFAULT '',
  old TEXT NOT NULL DEFAULT '',
  new TEXT NOT NULL DEFAULT '',
  names TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL
);
CREATE TABLE sightings (
  path TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  der BLOB NOT NULL,
  first_ms INTEGER NOT NULL,
  PRIMARY KEY (path, thumbprint)
) WITHOUT ROWID;
)sql",
    // 2: the daemon's watched paths, the certificates there, their state, and task runs.
    R"sql(
ALTER TABLE events ADD COLUMN details TEXT NOT NULL DEFAULT '';  -- JSON
CREATE TABLE bound (  -- every binding, as the last survey of its service found it
  service TEXT NOT NULL,
  site TEXT NOT NULL,
  role TEXT NOT NULL,         -- server, client
  names TEXT NOT NULL,        -- separated by spaces
  certificate TEXT NOT NULL,  -- path as bound
  key TEXT NOT NULL
);
CREATE TABLE configurations (  -- the files that each service was configured by
  service TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (service, path)
) WITHOUT ROWID;
CREATE TABLE places (  -- what the daemon last saw at each path that it watches
  path TEXT PRIMARY KEY,
  key TEXT NOT NULL,          -- path of the key; empty: it is looked for
  thumbprint TEXT NOT NULL,   -- empty: nothing lies there
  not_before_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  since_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE hops (  -- where a change may concern what the daemon watches
  directory TEXT NOT NULL,
  name TEXT NOT NULL,   -- empty: anything in that directory
  kind TEXT NOT NULL,   -- certificate, configuration, store
  path TEXT NOT NULL,   -- the certificate, the store; empty for a configuration
  PRIMARY KEY (directory, name, kind, path)
) WITHOUT ROWID;
CREATE TABLE successions (
  old TEXT NOT NULL,
  new TEXT NOT NULL,
  how TEXT NOT NULL,      -- declared, same place, same lineage, same identity
  renewer TEXT NOT NULL,  -- empty: by hand, as far as is known
  path TEXT NOT NULL,     -- where NEW lies
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (old, new)
) WITHOUT ROWID;
CREATE TABLE attention (  -- what needs a person, until it is over
  subject TEXT PRIMARY KEY,
  since_ms INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  next TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE thresholds (  -- which expiry warnings were given
  thumbprint TEXT NOT NULL,
  threshold TEXT NOT NULL,
  PRIMARY KEY (thumbprint, threshold)
) WITHOUT ROWID;
CREATE TABLE task_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL,
  event INTEGER,            -- events.record that triggered it; null: a timer or a person
  state TEXT NOT NULL,      -- queued, running, done, failed
  attempt INTEGER NOT NULL DEFAULT 1,
  due_ms INTEGER NOT NULL,  -- not started before
  started_ms INTEGER,
  ended_ms INTEGER,
  status INTEGER,           -- exit status; 128 + n: killed by signal n
  runner TEXT NOT NULL DEFAULT '',  -- pid and start time of the process that runs it
  output TEXT NOT NULL DEFAULT ''
);
CREATE INDEX task_runs_by_state ON task_runs (state, task, due_ms);
CREATE TABLE marks (  -- small facts of the daemon: how far tasks have read the events, when timers ran
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
)sql",
    // 3: records in a table of their own. They may hold megabytes, and SQLite rewrites a whole row:
    // updating a phase must not rewrite them.
    R"sql(
CREATE TABLE records (
  transaction_id INTEGER PRIMARY KEY REFERENCES transactions(id),
  record TEXT NOT NULL  -- JSON: files, before-images, what to prove
);
INSERT INTO records SELECT id, record FROM transactions;
ALTER TABLE transactions DROP COLUMN record;
)sql",
    // 4: what a person accepted when he declared a succession.
    R"sql(
ALTER TABLE successions ADD COLUMN accepted TEXT NOT NULL DEFAULT '';  -- names, separated by spaces
)sql",
};

size_t version_of(SQLite::Database& database) {
  return static_cast<size_t>(database.execAndGet("PRAGMA user_version").getInt());
}

std::unexpected<Error> too_new(const std::string& path) {
  return fail(Code::failed, "use", path, "a later version of certrebind has made it what it is",
              "run that version");
}

// All versions in one transaction, so that no other process sees an intermediate one.
void migrate(SQLite::Database& database) {
  if (version_of(database) >= kMigrations.size()) return;
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  // Another process may have migrated meanwhile. The second one reads the version again.
  for (size_t version = version_of(database); version < kMigrations.size(); ++version)
    database.exec(kMigrations[version]);
  database.exec("PRAGMA user_version = " + std::to_string(kMigrations.size()));
  transaction.commit();
}

std::unexpected<Error> failed(const std::string& doing, const std::string& path,
                              const SQLite::Exception& error) {
  int code = error.getErrorCode();
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    return fail(Code::damaged, doing, path, error.what(),
                "certrebind recover keeps it aside and builds a new one of what can be read");
  return fail(Code::failed, doing, path, error.what());
}

constexpr int kMoreTries = 5;  // for a database that another process is just creating
constexpr milliseconds kBetweenTries{20};
constexpr int kBusyMs = 5'000;  // another process may be in the middle of a checkpoint

}  // namespace

Result<Database> Database::open_for_writing(const std::string& path) {
  try {
    auto handle = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs);
    handle->exec("PRAGMA journal_mode = WAL");
    handle->exec("PRAGMA synchronous = FULL");
    handle->exec("PRAGMA foreign_keys = ON");
    migrate(*handle);
    if (version_of(*handle) > kMigrations.size()) return too_new(path);
    handle->execAndGet(
        "SELECT count(*) FROM sqlite_schema");  // reads the database, so that damage shows here
    return Database(std::move(handle), path);
  } catch (const SQLite::Exception& error) {
    return failed("open the database", path, error);
  }
}

Result<Database> Database::open_once_for_reading(const std::string& path) {
  try {
    auto handle = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY, kBusyMs);
    size_t version = version_of(*handle);
    // Another process is just creating it: there is nothing to read yet.
    if (version == 0) return fail(Code::not_found, "open the database", path, "it is empty");
    if (version > kMigrations.size()) return too_new(path);
    if (version < kMigrations.size())
      return fail(Code::failed, "read", path, "it is of an earlier version of certrebind",
                  "certrebind recover brings it up to date");
    return Database(std::move(handle), path);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_CANTOPEN) return failed("open the database", path, error);
    // Distinguishes "never created" from "no permission to read".
    auto there = Disk().stat(path);
    if (there || there.error().code == Code::denied)
      return fail(Code::denied, "read", path, "permission denied", "run it as root");
    return fail(Code::not_found, "open the database", path, error.what());
  }
}

Result<Database> Database::open_for_reading(const std::string& path) {
  auto database = open_once_for_reading(path);
  // A database that is just being created may lack its companion files, and may appear only after
  // the first attempt failed. So the open is retried.
  for (int more = kMoreTries; more > 0 && !database && database.error().code == Code::denied;
       --more) {
    SystemClock().sleep(kBetweenTries);
    database = open_once_for_reading(path);
  }
  return database;
}

std::unexpected<Error> Database::failure(const char* doing, const SQLite::Exception& error) const {
  return failed(std::string(doing) + " in", path_, error);
}

void Database::give_back_memory() {
  sqlite3_db_release_memory(handle_->getHandle());
}

Done Database::check() {
  auto found =
      guarded("check", [&] { return handle_->execAndGet("PRAGMA quick_check(1)").getString(); });
  if (!found) return pass(found);
  if (*found == "ok") return {};
  return fail(Code::damaged, "trust the database", path_, *found);
}

}  // namespace certrebind
