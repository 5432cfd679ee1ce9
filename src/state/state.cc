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
              "chmod 0700 " + path);
}

Done prepare_directories(Files& files, const Settings& settings) {
  const std::string& directory = settings.state_directory;
  for (const std::string& needed : {directory, directory + "/before", settings.run_directory})
    if (Done made = ensure_directory(files, needed, true); !made) return made;
  return must_be_private(files, directory);
}

}  // namespace

Result<Database> State::open_beside(Files& files, const Settings& settings) {
  if (Done ready = prepare_directories(files, settings); !ready) return pass(ready);
  return Database::open_for_writing(settings.state_directory + "/state.db");
}

Result<State> State::open_for_writing(Files& files, const Settings& settings,
                                      milliseconds patience) {
  if (Done ready = prepare_directories(files, settings); !ready) return pass(ready);
  auto lock = take_lock(settings.run_directory + "/lock", patience);
  if (!lock) return pass(lock);
  auto database = Database::open_for_writing(settings.state_directory + "/state.db");
  if (!database) return pass(database);
  return State(std::move(*database), std::move(*lock), settings.state_directory);
}

Result<State> State::open_for_reading(const Settings& settings) {
  auto database = Database::open_for_reading(settings.state_directory + "/state.db");
  if (!database) return pass(database);
  return State(std::move(*database), nullptr, settings.state_directory);
}

std::string State::before_directory(int64_t transaction, const std::string& token) const {
  return directory_ + "/before/" + std::to_string(transaction) + "-" + token;
}

}  // namespace certrebind
