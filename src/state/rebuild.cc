#include "state/rebuild.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "state/database.h"

namespace certrebind {

namespace {

std::string free_name(const Files& files, const std::string& path) {
  for (int number = 1;; ++number) {
    std::string name = fmt::format("{}.damaged-{}", path, number);
    if (!files.lstat(name)) return name;
  }
}

// Moves the write-ahead log first, so that it can never be taken for one of the new database.
Done keep_aside(Files& files, const std::string& path, const std::string& kept) {
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (!files.lstat(path + suffix)) continue;
    if (Done moved = files.rename(path + suffix, kept + suffix); !moved) return moved;
  }
  return files.sync({parent_directory(path)});
}

std::vector<std::string> tables_of(SQLite::Database& database) {
  std::vector<std::string> tables;
  SQLite::Statement select(database,
                           "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                           "'sqlite_%'");
  while (select.executeStep()) tables.push_back(select.getColumn(0).getString());
  return tables;
}

// Copies rows until one cannot be read. Returns the number of new rows.
size_t copy_rows(SQLite::Database& from, SQLite::Database& into, const std::string& table,
                 const char* order) {
  size_t copied = 0;
  try {
    SQLite::Statement select(from, "SELECT * FROM " + table + order);
    std::string places = "?";
    for (int column = 1; column < select.getColumnCount(); ++column) places += ", ?";
    SQLite::Statement insert(into, "INSERT OR IGNORE INTO " + table + " VALUES (" + places + ")");
    while (select.executeStep()) {
      for (int column = 0; column < select.getColumnCount(); ++column) {
        SQLite::Column value = select.getColumn(column);
        if (value.isNull()) continue;
        if (value.isInteger()) insert.bind(column + 1, value.getInt64());
        if (value.isText()) insert.bind(column + 1, value.getString());
        if (value.isBlob()) insert.bind(column + 1, value.getBlob(), value.getBytes());
      }
      copied += static_cast<size_t>(insert.exec());
      insert.reset();
      insert.clearBindings();
    }
  } catch (const SQLite::Exception&) {
    // Rows behind the damage are read from the other end.
  }
  return copied;
}

size_t salvage(const std::string& kept, SQLite::Database& into) {
  size_t rows = 0;
  try {
    SQLite::Database from(kept, SQLite::OPEN_READONLY);
    for (const std::string& table : tables_of(into)) {
      std::string key;
      SQLite::Statement columns(into,
                                "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk");
      columns.bind(1, table);
      while (columns.executeStep())
        key += (key.empty() ? " ORDER BY " : ", ") + columns.getColumn(0).getString() + " DESC";
      rows += copy_rows(from, into, table, "");
      if (!key.empty()) rows += copy_rows(from, into, table, key.c_str());
    }
  } catch (const SQLite::Exception&) {
    // Not even the header is readable. The next survey finds again what is on disk and served.
  }
  return rows;
}

// Tasks store the number up to which they read events, so a number must never be reused.
constexpr const char* kContinueNumbers =
    "UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT CAST(value AS INTEGER) FROM marks "
    "WHERE name = 'tasks.event'), 0)) WHERE name = 'events'";

void say_so(SQLite::Database& database, const std::string& sentence, const std::string& next) {
  constexpr const char* kNow = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
  SQLite::Statement event(
      database, fmt::format("INSERT INTO events (id, at_ms, message) VALUES (2017, {}, ?)", kNow));
  event.bind(1, sentence);
  event.exec();
  SQLite::Statement needs(
      database,
      fmt::format("INSERT OR REPLACE INTO attention VALUES ('database', {}, ?, ?)", kNow));
  needs.bind(1, sentence);
  needs.bind(2, next);
  needs.exec();
}

}  // namespace

Result<Rebuilt> rebuild_database(Files& files, const std::string& path) {
  Rebuilt rebuilt{.kept = free_name(files, path)};
  if (Done aside = keep_aside(files, path, rebuilt.kept); !aside) return pass(aside);
  auto database = Database::open_for_writing(path);
  if (!database) return pass(database);
  Done written = database->atomically("fill", [&] {
    SQLite::Database& handle = database->handle();
    handle.exec("PRAGMA defer_foreign_keys = ON");
    rebuilt.rows = salvage(rebuilt.kept, handle);
    // A transaction without its record is useless, and vice versa.
    handle.exec("DELETE FROM records WHERE transaction_id NOT IN (SELECT id FROM transactions)");
    handle.exec("DELETE FROM transactions WHERE id NOT IN (SELECT transaction_id FROM records)");
    handle.exec(
        "UPDATE events SET transaction_id = NULL WHERE transaction_id NOT IN (SELECT id "
        "FROM transactions)");
    handle.exec(
        "UPDATE transactions SET undoes = NULL WHERE undoes NOT IN (SELECT id FROM "
        "transactions)");
    say_so(handle,
           fmt::format("the database was damaged: it is kept as {}, and a new one was begun with "
                       "{} that could be read",
                       rebuilt.kept, count_of(rebuilt.rows, "row")),
           "certrebind check, to see that all is served; then certrebind recover. If a rebind was "
           "interrupted, the files as they were lie in before/ beside the database");
    handle.exec(kContinueNumbers);
  });
  if (!written) return pass(written);
  return rebuilt;
}

}  // namespace certrebind
