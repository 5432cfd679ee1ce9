// The one SQLite database: opens it, maintains its tables, and reports its errors as Results.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>
#include <type_traits>

#include "base/result.h"

namespace certrebind {

class Database {
 public:
  // Creates the file (mode 0600 by the process's umask) and brings its tables up to date. Uses WAL
  // and synchronous=FULL, so a committed transaction is on disk.
  static Result<Database> open_for_writing(const std::string& path);
  // Both functions fail with Code::damaged if SQLite finds the file corrupt, as all functions below
  // do. Code::not_found if there is no database yet.
  static Result<Database> open_for_reading(const std::string& path);

  // Reads the whole database (PRAGMA quick_check). Code::damaged if it is inconsistent.
  Done check();

  // Releases the memory of SQLite's cache.
  void give_back_memory();

  SQLite::Database& handle() { return *handle_; }

  // Runs `work` and converts the library's exceptions to an Error about `doing` this database.
  template <class Function>
  auto guarded(const char* doing, Function work) -> Result<std::invoke_result_t<Function>> {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
        work();
        return {};
      } else {
        return work();
      }
    } catch (const SQLite::Exception& error) {
      return failure(doing, error);
    }
  }

  // Like `guarded`, inside one database transaction: all of it or nothing. It takes the write lock
  // at its start. So if two processes read and then write, one waits for the other instead of
  // failing.
  template <class Function>
  Done atomically(const char* doing, Function work) {
    return guarded(doing, [&] {
      SQLite::Transaction transaction(*handle_, SQLite::TransactionBehavior::IMMEDIATE);
      work();
      transaction.commit();
    });
  }

 private:
  static Result<Database> open_once_for_reading(const std::string& path);
  Database(std::unique_ptr<SQLite::Database> handle, std::string path)
      : handle_(std::move(handle)), path_(std::move(path)) {}
  std::unexpected<Error> failure(const char* doing, const SQLite::Exception& error) const;

  std::unique_ptr<SQLite::Database> handle_;
  std::string path_;
};

}  // namespace certrebind
