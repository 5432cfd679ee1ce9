#include "sys/replace.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr std::string_view kPrefix = ".certrebind-";

std::string pivot_of(const std::string& name, const std::string& anchor) {
  return absolute_in(parent_directory(anchor), std::string(kPrefix) + name);
}

std::string staged_name(const std::string& name, const std::string& path, size_t number,
                        const char* suffix) {
  return absolute_in(parent_directory(path),
                     std::string(kPrefix) + name + "-" + std::to_string(number) + suffix);
}

// The way from one directory to a path, both real and absolute.
std::string relative(const std::string& from_directory, const std::string& to) {
  std::vector<std::string> from = split(from_directory.substr(1), '/');
  std::vector<std::string> target = split(to.substr(1), '/');
  if (from_directory == "/") from.clear();
  size_t shared = 0;
  while (shared < from.size() && shared + 1 < target.size() && from[shared] == target[shared])
    ++shared;
  std::string way;
  for (size_t up = shared; up < from.size(); ++up) way += "../";
  return way + join({target.begin() + static_cast<ptrdiff_t>(shared), target.end()}, "/");
}

std::vector<std::string> unique_directories(const std::vector<std::string>& paths) {
  std::set<std::string> found;
  for (const std::string& path : paths) found.insert(parent_directory(path));
  return {found.begin(), found.end()};
}

// mtime must advance even within one second: some servers ignore a file that is not newer by then.
int64_t later_than(int64_t modified_ns) {
  return modified_ns + 1'000'000'000;
}

Done remove_if_there(Files& files, const std::string& path) {
  Done removed = files.remove(path);
  if (!removed && removed.error().code == Code::not_found) return {};
  return removed;
}

Done remove_pivot(Files& files, const std::string& pivot, size_t count) {
  if (!files.lstat(pivot)) return {};
  for (const char* side : {"/old", "/new"}) {
    for (size_t index = 0; index < count; ++index)
      if (Done gone = remove_if_there(files, pivot + side + "/" + std::to_string(index)); !gone)
        return gone;
    if (Done gone = remove_if_there(files, pivot + side); !gone) return gone;
  }
  for (const char* link : {"/now", "/next", ""})
    if (Done gone = remove_if_there(files, pivot + link); !gone) return gone;
  return {};
}

}  // namespace

ReplaceSet::ReplaceSet(Files& files, std::string name, std::string anchor,
                       std::vector<Replacement> replacements)
    : files_(files),
      name_(std::move(name)),
      pivot_(pivot_of(name_, anchor)),
      replacements_(std::move(replacements)) {}

std::string ReplaceSet::beside(size_t index, const char* suffix) const {
  return staged_name(name_, replacements_[index].path, replacements_[index].number, suffix);
}

std::vector<std::string> ReplaceSet::directories() const {
  std::vector<std::string> paths;
  for (const Replacement& replacement : replacements_) paths.push_back(replacement.path);
  return unique_directories(paths);
}

Done ReplaceSet::expect(size_t index, const std::string& at) const {
  const Replacement& replacement = replacements_[index];
  auto bytes = files_.read(at, kConfigLimit);
  if (!bytes) return pass(bytes);
  if (*bytes == replacement.expected) return {};
  return fail(Code::raced, "replace", replacement.path, "somebody changed it since it was read",
              "nothing of theirs was lost; look at the file, then run the command again");
}

Done ReplaceSet::keep_old(size_t index) {
  const Replacement& replacement = replacements_[index];
  Done linked = files_.link(replacement.path, beside(index, ".old"));
  if (linked) return linked;
  // Hard links are missing on some file systems, and refused to those who do not own the file.
  if (linked.error().code == Code::exists) return linked;
  return files_.create(beside(index, ".old"), replacement.expected, replacement.attributes);
}

Done ReplaceSet::stage_one(size_t index) {
  const Replacement& replacement = replacements_[index];
  if (Done same = expect(index, replacement.path); !same) return same;
  auto info = files_.stat(replacement.path);
  if (!info) return pass(info);
  // Created now, so newer than any honest mtime; a file from the future must still be passed.
  if (Done created =
          files_.create(beside(index, ".new"), replacement.bytes, replacement.attributes);
      !created)
    return created;
  auto staged = files_.stat(beside(index, ".new"));
  if (!staged) return pass(staged);
  if (staged->modified_ns >= later_than(info->modified_ns)) return {};
  if (Done removed = files_.remove(beside(index, ".new")); !removed) return removed;
  return files_.create(beside(index, ".new"), replacement.bytes, replacement.attributes,
                       later_than(info->modified_ns));
}

Done ReplaceSet::stage_pivot() {
  for (const char* directory : {"", "/old", "/new"})
    if (Done made = files_.make_directory(pivot_ + directory, 0755); !made) return made;
  if (Done linked = files_.symlink("old", pivot_ + "/now"); !linked) return linked;
  for (size_t index = 0; index < replacements_.size(); ++index) {
    std::string number = std::to_string(replacements_[index].number);
    std::string directory = parent_directory(replacements_[index].path);
    if (Done kept = keep_old(index); !kept) return kept;
    for (const char* side : {"old", "new"}) {
      std::string here = pivot_ + "/" + side;
      std::string suffix = std::string(".") + side;
      Done linked =
          files_.symlink(relative(here, beside(index, suffix.c_str())), here + "/" + number);
      if (!linked) return linked;
    }
    Done linked =
        files_.symlink(relative(directory, pivot_ + "/now/" + number), beside(index, ".link"));
    if (!linked) return linked;
  }
  return files_.sync({pivot_ + "/old", pivot_ + "/new", pivot_});
}

Done ReplaceSet::stage() {
  for (size_t index = 0; index < replacements_.size(); ++index)
    if (Done staged = stage_one(index); !staged) return staged;
  if (needs_pivot())
    if (Done staged = stage_pivot(); !staged) return staged;
  std::vector<std::string> paths = directories();
  for (size_t index = 0; index < replacements_.size(); ++index) {
    paths.push_back(beside(index, ".new"));
    if (needs_pivot()) paths.push_back(beside(index, ".old"));
  }
  return files_.sync(paths);
}

// Puts `with` in the file's place; what lay there must be what was expected.
Done ReplaceSet::put(size_t index, const std::string& with) {
  const std::string& path = replacements_[index].path;
  Done exchanged = files_.exchange(path, with);
  if (exchanged) {
    Done same = expect(index, with);
    if (same) return same;
    if (Done back = files_.exchange(path, with); !back) return back;
    return same;
  }
  if (exchanged.error().code != Code::unsupported) return exchanged;
  if (Done same = expect(index, path); !same) return same;
  return files_.rename(with, path);
}

Done ReplaceSet::put_all(const char* suffix, bool check) {
  for (size_t index = 0; index < replacements_.size(); ++index) {
    std::string with = beside(index, suffix);
    Done done = check ? put(index, with) : files_.rename(with, replacements_[index].path);
    if (!done) return done;
  }
  return files_.sync(directories());
}

Done ReplaceSet::swap() {
  if (replacements_.empty()) return {};
  if (!needs_pivot()) return put_all(".new", true);
  if (Done linked = put_all(".link", true); !linked) return linked;
  if (Done linked = files_.symlink("new", pivot_ + "/next"); !linked) return linked;
  if (Done flipped = files_.rename(pivot_ + "/next", pivot_ + "/now"); !flipped) return flipped;
  if (Done synced = files_.sync({pivot_}); !synced) return synced;
  return put_all(".new", false);
}

Done remove_leftovers(Files& files, const std::string& name,
                      const std::vector<std::string>& paths) {
  if (paths.empty()) return {};
  std::string mark = std::string(kPrefix) + name;
  for (const std::string& path : paths) {
    auto target = files.read_link(path);
    if (target && target->find(mark + "/") != std::string::npos)
      return fail(Code::failed, "clean up beside", path, "it is still a link into " + mark);
  }
  for (size_t index = 0; index < paths.size(); ++index)
    for (const char* suffix : {".new", ".old", ".link"})
      if (Done gone = remove_if_there(files, staged_name(name, paths[index], index, suffix)); !gone)
        return gone;
  if (Done gone = remove_pivot(files, pivot_of(name, paths.front()), paths.size()); !gone)
    return gone;
  return files.sync(unique_directories(paths));
}

}  // namespace certrebind
