// The state directory: the database, the before-images and the lock. Only the lock's holder writes;
// everybody may read.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "state/database.h"
#include "state/rebuild.h"
#include "state/settings.h"
#include "sys/host.h"
#include "sys/lock.h"

namespace certrebind {

class State {
 public:
  // Creates the directories (0700) if needed, takes the lock (Code::busy after `patience`) and
  // opens the database. A damaged database is rebuilt first (rebuild.h).
  static Result<State> open_for_writing(Files& files, const Settings& settings,
                                        milliseconds patience);
  // True if a process holds the lock now.
  static bool is_taken(const Settings& settings);
  // Code::not_found if nothing was ever written.
  static Result<State> open_for_reading(const Settings& settings);

  // Opens the database without the lock, for short, independent writes that may happen while
  // another process holds it. The task queue needs this, because a task may itself run a command
  // that takes the lock. SQLite serialises such writers. A damaged database is rebuilt as soon as
  // the lock is free.
  static Result<Database> open_beside(Files& files, const Settings& settings);

  // Reads the whole database, and rebuilds it if it is damaged. Returns the rebuild, if any.
  static Result<std::optional<Rebuilt>> mend(Files& files, const Settings& settings,
                                             milliseconds patience);

  Database& database() { return database_; }
  // The directory of the before-images of one transaction. The token keeps the name unique even if
  // the database was lost and transaction numbers start again.
  std::string before_directory(int64_t transaction, const std::string& token) const;

 private:
  State(Database database, std::unique_ptr<Lock> lock, std::string directory)
      : database_(std::move(database)), lock_(std::move(lock)), directory_(std::move(directory)) {}

  Database database_;
  std::unique_ptr<Lock> lock_;
  std::string directory_;
};

}  // namespace certrebind
