// The one SQLite database: opening, its tables, and its errors as Results.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>
#include <type_traits>

#include "base/result.h"

namespace certrebind {

class Database {
 public:
  // Creates the file (mode 0600 by the process's umask) and brings its tables up to date. WAL,
  // synchronous=FULL: what a transaction committed is on disk.
  static Result<Database> open_for_writing(const std::string& path);
  // Both fail with Code::damaged where SQLite finds the file corrupt, as everything below does.
  // Code::not_found if there is none yet.
  static Result<Database> open_for_reading(const std::string& path);

  // Reads all of it (PRAGMA quick_check). Code::damaged if something does not fit.
  Done check();

  // Of SQLite's cache.
  void give_back_memory();

  SQLite::Database& handle() { return *handle_; }

  // Runs `work` and turns the library's exceptions into an Error about `doing` this database.
  template <class TransactionRequest>
  auto guarded(const char* doing, TransactionRequest work)
      -> Result<std::invoke_result_t<TransactionRequest>> {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<TransactionRequest>>) {
        work();
        return {};
      } else {
        return work();
      }
    } catch (const SQLite::Exception& error) {
      return failure(doing, error);
    }
  }

  // The same inside one database transaction: all of it or nothing. It is a writer from the start:
  // of two processes that read and then write, one waits for the other instead of failing.
  template <class TransactionRequest>
  Done atomically(const char* doing, TransactionRequest work) {
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
