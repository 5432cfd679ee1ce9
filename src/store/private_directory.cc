#include "store/private_directory.h"

#include <algorithm>

#include "base/text.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

Done make_directories(Files& files, const std::string& path, uint32_t mode) {
  if (files.lstat(path)) return {};
  if (Done above = make_directories(files, parent_directory(path), 0755); !above) return above;
  if (Done made = files.make_directory(path, mode); !made) return made;
  return files.sync({parent_directory(path)});
}

}  // namespace

Done make_private_directory(Files& files, const std::string& path) {
  if (Done safe = SafeWay(files).to_content(path); !safe) return safe;
  return make_directories(files, path, 0700);
}

Done write_private_files(Files& files, const std::string& directory,
                         const std::vector<std::pair<std::string, std::string>>& contents) {
  if (Done made = files.make_directory(directory, 0700); !made) return made;
  if (Done synced = files.sync({parent_directory(directory)}); !synced) return synced;
  std::vector<std::string> written = {directory};
  for (const auto& [name, bytes] : contents) {
    written.push_back(directory + name);
    if (Done made = files.create(written.back(), bytes, {}); !made) return made;
  }
  return files.sync(written);
}

Done remove_private_files(Files& files, const std::string& directory,
                          const std::vector<std::string>& names) {
  auto found = files.list(directory);
  if (!found) return found.error().code == Code::not_found ? Done() : pass(found);
  for (const std::string& name : *found)
    if (std::ranges::find(names, name) == names.end())
      return fail(Code::failed, "delete", directory,
                  "certrebind did not make " + printable(name) + " in it", "move that elsewhere");
  for (const std::string& name : names)
    if (std::ranges::find(*found, name) != found->end())
      if (Done removed = files.remove(directory + "/" + name); !removed) return removed;
  return files.remove(directory);
}

}  // namespace certrebind
