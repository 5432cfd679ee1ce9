#include "state/database.h"

#include <sqlite3.h>

#include <array>

namespace certrebind {

namespace {

// One string for each version of the tables; a version that was released is never changed again.
constexpr std::array kMigrations = {
    // 1: transactions with their journal, the event log, and what was seen where.
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
};

void migrate(SQLite::Database& database) {
  auto version = static_cast<size_t>(database.execAndGet("PRAGMA user_version").getInt());
  for (; version < kMigrations.size(); ++version) {
    SQLite::Transaction transaction(database);
    database.exec(kMigrations[version]);
    database.exec("PRAGMA user_version = " + std::to_string(version + 1));
    transaction.commit();
  }
}

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
    return Database(std::move(handle), path);
  } catch (const SQLite::Exception& error) {
    return fail(Code::failed, "open the database", path, error.what());
  }
}

Result<Database> Database::open_for_reading(const std::string& path) {
  try {
    auto handle = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY, kBusyMs);
    // Somebody is just making it: there is nothing to read yet.
    if (handle->execAndGet("PRAGMA user_version").getInt() == 0)
      return fail(Code::not_found, "open the database", path, "it is empty");
    return Database(std::move(handle), path);
  } catch (const SQLite::Exception& error) {
    Code code = error.getErrorCode() == SQLITE_CANTOPEN ? Code::not_found : Code::failed;
    return fail(code, "open the database", path, error.what());
  }
}

std::unexpected<Error> Database::failure(const char* doing, const SQLite::Exception& error) const {
  return fail(Code::failed, std::string(doing) + " in", path_, error.what());
}

}  // namespace certrebind
