// The state directory: the database, the before-images and the lock. Whoever holds the lock writes;
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
  // Creates the directories (0700) where needed, takes the lock (Code::busy after `patience`) and
  // opens the database. One that turns out to be damaged is rebuilt first (rebuild.h).
  static Result<State> open_for_writing(Files& files, const Settings& settings,
                                        milliseconds patience);
  // Whether somebody holds the lock now.
  static bool is_taken(const Settings& settings);
  // Code::not_found if nothing was ever written.
  static Result<State> open_for_reading(const Settings& settings);

  // The database without the lock, for short writes that stand alone and may come while somebody
  // holds it (the queue of tasks: a task may itself run what needs the lock). SQLite keeps such
  // writers apart. A damaged one is rebuilt as soon as nobody holds the lock.
  static Result<Database> open_beside(Files& files, const Settings& settings);

  // Reads the whole database, and rebuilds it if it is damaged. Gives what was done, if anything.
  static Result<std::optional<Rebuilt>> mend(Files& files, const Settings& settings,
                                             milliseconds patience);

  Database& database() { return database_; }
  // Where the before-images of one transaction lie. Its token makes the name unique also after the
  // database was lost and numbers begin again.
  std::string before_directory(int64_t transaction, const std::string& token) const;

 private:
  State(Database database, std::unique_ptr<Lock> lock, std::string directory)
      : database_(std::move(database)), lock_(std::move(lock)), directory_(std::move(directory)) {}

  Database database_;
  std::unique_ptr<Lock> lock_;
  std::string directory_;
};

}  // namespace certrebind
