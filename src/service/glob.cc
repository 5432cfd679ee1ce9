#include "service/glob.h"

#include <algorithm>

#include "base/text.h"
#include "sys/file_name.h"

namespace certrebind {

namespace {

bool is_pattern(std::string_view component) {
  return component.find_first_of("*?[\\") != std::string_view::npos;
}

// Adds the entries of one directory that match a component.
void add_matches(const std::string& directory, const std::string& component, Root& root,
                 std::vector<std::string>& paths) {
  auto real = root.real_path(directory.empty() ? "/" : directory);
  if (!real) return;
  auto names = root.files().list(*real);
  if (!names) return;
  for (const std::string& name : *names)
    if (file_name_matches(component, name)) paths.push_back(directory + '/' + name);
}

void keep_existing(Root& root, std::vector<std::string>& paths) {
  std::erase_if(paths, [&](const std::string& path) {
    auto parent = root.real_path(parent_directory(path));
    return !parent || !root.files().lstat(absolute_in(*parent, file_name(path)));
  });
}

}  // namespace

bool is_glob(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

std::string directory_of_glob(std::string_view pattern) {
  return parent_directory(std::string(pattern.substr(0, pattern.find_first_of("*?["))) + "x");
}

std::vector<std::string> expand_glob(std::string_view pattern, Root& root) {
  std::vector<std::string> paths = {""};
  bool unsure = false;  // whether paths may name missing files
  for (const std::string& component : split(pattern.substr(1), '/')) {
    std::vector<std::string> longer;
    unsure = !is_pattern(component);
    for (const std::string& path : paths) {
      if (unsure) {
        longer.push_back(path + '/' + component);
      } else {
        add_matches(path, component, root, longer);
      }
    }
    paths = std::move(longer);
  }
  if (unsure) keep_existing(root, paths);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace certrebind
