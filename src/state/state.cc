#include "state/state.h"

#include "base/text.h"

namespace certrebind {

namespace {

Done ensure_directory(Files& files, const std::string& path, bool is_private) {
  if (files.stat(path)) return {};
  std::string parent = parent_directory(path);
  if (parent != path)
    if (Done made = ensure_directory(files, parent, false); !made) return made;
  Done made = files.make_directory(path, is_private ? 0700 : 0755);
  if (!made && made.error().code == Code::exists) return {};
  if (!made) return made;
  return files.sync({parent});
}

Done must_be_private(const Files& files, const std::string& path) {
  auto info = files.stat(path);
  if (!info) return pass(info);
  if ((info->mode & 0077) == 0) return {};
  return fail(Code::denied, "keep keys in", path, "others than its owner may enter it",
              "chmod 0700 " + shell_quoted(path));
}

Done prepare_directories(Files& files, const Settings& settings) {
  const std::string& directory = settings.state_directory;
  for (const std::string& needed : {directory, directory + "/before", settings.run_directory})
    if (Done made = ensure_directory(files, needed, true); !made) return made;
  return must_be_private(files, directory);
}

constexpr milliseconds kRebuildPatience = std::chrono::seconds(30);

std::string database_path(const Settings& settings) {
  return settings.state_directory + "/state.db";
}

std::string lock_path(const Settings& settings) {
  return settings.run_directory + "/lock";
}

Result<std::unique_ptr<Lock>> lock_of(const Settings& settings, milliseconds patience) {
  return take_lock(lock_path(settings), patience);
}

// SQLite does not say why it cannot open a file for writing; the system call does.
Result<Database> open_database(Files& files, const Settings& settings) {
  auto database = Database::open_for_writing(database_path(settings));
  if (database || database.error().code == Code::damaged) return database;
  const std::string probe = settings.state_directory + "/probe";
  if (Done written = files.create(probe, "", {}); !written && written.error().code != Code::exists)
    return pass(written);
  if (Done removed = files.remove(probe); !removed) return pass(removed);
  return database;
}

// Opens the database for the holder of the lock.
Result<Database> open_sound(Files& files, const Settings& settings) {
  auto database = open_database(files, settings);
  if (database || database.error().code != Code::damaged) return database;
  if (auto rebuilt = rebuild_database(files, database_path(settings)); !rebuilt)
    return pass(rebuilt);
  return open_database(files, settings);
}

}  // namespace

Result<Database> State::open_beside(Files& files, const Settings& settings) {
  if (Done ready = prepare_directories(files, settings); !ready) return pass(ready);
  auto database = open_database(files, settings);
  if (database || database.error().code != Code::damaged) return database;
  auto lock = lock_of(settings, kRebuildPatience);
  if (!lock) return pass(lock);
  return open_sound(files, settings);
}

Result<State> State::open_for_writing(Files& files, const Settings& settings,
                                      milliseconds patience) {
  if (Done ready = prepare_directories(files, settings); !ready) return pass(ready);
  auto lock = lock_of(settings, patience);
  if (!lock) return pass(lock);
  auto database = open_sound(files, settings);
  if (!database) return pass(database);
  return State(std::move(*database), std::move(*lock), settings.state_directory);
}

Result<std::optional<Rebuilt>> State::mend(Files& files, const Settings& settings,
                                           milliseconds patience) {
  if (Done ready = prepare_directories(files, settings); !ready) return pass(ready);
  auto lock = lock_of(settings, patience);
  if (!lock) return pass(lock);
  auto database = open_database(files, settings);
  Done sound = database ? database->check() : Done(pass(database));
  if (sound) return std::nullopt;
  if (sound.error().code != Code::damaged) return pass(sound);
  auto rebuilt = rebuild_database(files, database_path(settings));
  if (!rebuilt) return pass(rebuilt);
  return *rebuilt;
}

bool State::is_taken(const Settings& settings) {
  return is_locked(lock_path(settings));
}

Result<State> State::open_for_reading(const Settings& settings) {
  auto database = Database::open_for_reading(database_path(settings));
  if (!database) return pass(database);
  return State(std::move(*database), nullptr, settings.state_directory);
}

std::string State::before_directory(int64_t transaction, const std::string& token) const {
  return directory_ + "/before/" + std::to_string(transaction) + "-" + token;
}

}  // namespace certrebind
