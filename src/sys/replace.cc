#include "sys/replace.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr std::string_view kPrefix = ".certrebind-";

std::string pivot_of(const std::string& name, const std::string& directory) {
  return absolute_in(directory, std::string(kPrefix) + name);
}

std::string staged_name(const std::string& name, const std::string& staging, size_t number,
                        const char* suffix) {
  return absolute_in(staging, std::string(kPrefix) + name + "-" + std::to_string(number) + suffix);
}

// The relative path from one directory to a path, both real and absolute.
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

// All directories in which something changes.
template <class Staged>
std::vector<std::string> directories_of(const std::vector<Staged>& whole) {
  std::set<std::string> found;
  for (const Staged& file : whole) found.insert({parent_directory(file.path), file.staging});
  return {found.begin(), found.end()};
}

// The mtime must advance even within one second: some servers ignore a file that is not newer.
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

ReplaceSet::ReplaceSet(Files& files, std::string name, const std::string& pivot_directory,
                       std::vector<Replacement> replacements)
    : files_(files),
      name_(std::move(name)),
      pivot_(pivot_of(name_, pivot_directory)),
      replacements_(std::move(replacements)) {}

std::string ReplaceSet::beside(size_t index, const char* suffix) const {
  return staged_name(name_, replacements_[index].staging, replacements_[index].number, suffix);
}

std::unexpected<Error> ReplaceSet::raced(size_t index) const {
  return fail(Code::failed, "replace", replacements_[index].path,
              "somebody changed it since it was read",
              "nothing of theirs was lost; look at the file, then run the command again");
}

Done ReplaceSet::expect(size_t index, const std::string& at) const {
  auto bytes = files_.read(at, kConfigLimit);
  if (!bytes) return pass(bytes);
  if (*bytes != replacements_[index].expected) return raced(index);
  return {};
}

// A displaced link resolves differently at its new place, so it is recognised by its target.
Done ReplaceSet::expect_displaced(size_t index, const std::string& at, Before before) const {
  auto target = files_.read_link(at);
  if (before == Before::our_link) {
    if (!target || *target != way_to_pivot(index)) return raced(index);
    return {};
  }
  if (!target) return expect(index, at);
  auto link = links_.find(index);
  if (link == links_.end() || link->second.target != *target) return raced(index);
  return expect(index, link->second.real);
}

std::string ReplaceSet::way_to_pivot(size_t index) const {
  const Replacement& replacement = replacements_[index];
  return relative(parent_directory(replacement.path),
                  pivot_ + "/now/" + std::to_string(replacement.number));
}

Done ReplaceSet::name_twice(size_t index, const std::string& at, const char* suffix,
                            const std::string& bytes) {
  Done linked = files_.link(at, beside(index, suffix));
  if (linked) return linked;
  // Some file systems lack hard links, and users who do not own the file may not create them.
  if (linked.error().code == Code::exists) return linked;
  return files_.create(beside(index, suffix), bytes, replacements_[index].attributes);
}

Done ReplaceSet::stage_one(size_t index) {
  const Replacement& replacement = replacements_[index];
  auto info = files_.stat(replacement.path);
  if (!info) return pass(info);
  seen_.push_back(*info);
  if (Done same = expect(index, replacement.path); !same) return same;
  if (auto target = files_.read_link(replacement.path)) {
    auto real = files_.real_path(replacement.path);
    if (!real) return pass(real);
    links_[index] = {std::move(*target), std::move(*real)};
  }
  // Created now, so newer than any correct mtime. But it must also exceed an mtime in the future.
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
    const Replacement& replacement = replacements_[index];
    auto link = links_.find(index);
    const std::string& old_file = link == links_.end() ? replacement.path : link->second.real;
    if (Done kept = name_twice(index, old_file, ".old", replacement.expected); !kept) return kept;
    if (Done named = name_twice(index, beside(index, ".new"), ".read", replacement.bytes); !named)
      return named;
    for (auto [side, suffix] : {std::pair("/old", ".old"), std::pair("/new", ".read")}) {
      std::string here = pivot_ + side;
      Done linked = files_.symlink(relative(here, beside(index, suffix)),
                                   here + "/" + std::to_string(replacement.number));
      if (!linked) return linked;
    }
    if (Done linked = files_.symlink(way_to_pivot(index), beside(index, ".link")); !linked)
      return linked;
  }
  return files_.sync({pivot_ + "/old", pivot_ + "/new", pivot_});
}

Done ReplaceSet::stage() {
  for (size_t index = 0; index < replacements_.size(); ++index)
    if (Done staged = stage_one(index); !staged) return staged;
  if (needs_pivot())
    if (Done staged = stage_pivot(); !staged) return staged;
  std::vector<std::string> paths = directories_of(replacements_);
  for (size_t index = 0; index < replacements_.size(); ++index) {
    paths.push_back(beside(index, ".new"));
    if (!needs_pivot()) continue;
    paths.push_back(beside(index, ".old"));
    paths.push_back(beside(index, ".read"));
  }
  return files_.sync(paths);
}

Done ReplaceSet::look_again() const {
  for (size_t index = 0; index < replacements_.size(); ++index) {
    auto info = files_.stat(replacements_[index].path);
    if (!info) return pass(info);
    const FileInfo& seen = seen_[index];
    if (!info->same_file(seen) || info->size != seen.size || info->modified_ns != seen.modified_ns)
      return raced(index);
  }
  return {};
}

// Puts `with` at the file's path. The displaced entry must be the expected one.
Done ReplaceSet::put(size_t index, const std::string& with, Before before) {
  const std::string& path = replacements_[index].path;
  Done exchanged = files_.exchange(path, with);
  if (exchanged) {
    Done same = expect_displaced(index, with, before);
    if (same) return same;
    if (Done back = files_.exchange(path, with); !back) return back;
    return same;
  }
  if (exchanged.error().code != Code::unsupported) return exchanged;
  if (Done same = expect_displaced(index, path, before); !same) return same;
  return files_.rename(with, path);
}

Done ReplaceSet::put_all(const char* suffix, Before before) {
  for (size_t index = 0; index < replacements_.size(); ++index)
    if (Done done = put(index, beside(index, suffix), before); !done) return done;
  return files_.sync(directories_of(replacements_));
}

// A program that had a file open, or came through its link, may have written to the old one since
// the comparison. Such a file is handed back.
Done ReplaceSet::hand_back_late_edits() {
  Done outcome;
  for (size_t index = 0; index < replacements_.size(); ++index) {
    Done same = expect(index, beside(index, ".old"));
    if (same) continue;
    outcome = same;
    if (Done back = files_.rename(beside(index, ".old"), replacements_[index].path); !back)
      return back;
  }
  return outcome;
}

Done ReplaceSet::flip() {
  if (replacements_.empty()) return {};
  if (!needs_pivot()) return put_all(".new", Before::old_file);
  if (Done linked = put_all(".link", Before::old_file); !linked) return linked;
  if (Done linked = files_.symlink("new", pivot_ + "/next"); !linked) return linked;
  if (Done flipped = files_.rename(pivot_ + "/next", pivot_ + "/now"); !flipped) return flipped;
  return files_.sync({pivot_});
}

Done ReplaceSet::settle() {
  if (!needs_pivot()) return {};
  if (Done placed = put_all(".new", Before::our_link); !placed) return placed;
  return hand_back_late_edits();
}

bool leads_into(const Files& files, const std::string& path, const std::string& name) {
  auto target = files.read_link(path);
  return target && target->find(std::string(kPrefix) + name + "/") != std::string::npos;
}

bool leads_into_a_swap(const std::string& real_path) {
  return real_path.find("/" + std::string(kPrefix)) != std::string::npos;
}

Done remove_leftovers(Files& files, const std::string& name, const std::vector<StagedFile>& whole) {
  if (whole.empty()) return {};
  for (const StagedFile& file : whole)
    if (leads_into(files, file.path, name))
      return fail(Code::failed, "clean up beside", file.path,
                  fmt::format("it is still a link into {}{}", kPrefix, name));
  for (size_t index = 0; index < whole.size(); ++index)
    for (const char* suffix : {".new", ".old", ".read", ".link"}) {
      std::string staged = staged_name(name, whole[index].staging, index, suffix);
      if (Done gone = remove_if_there(files, staged); !gone) return gone;
    }
  if (Done gone = remove_pivot(files, pivot_of(name, whole.front().staging), whole.size()); !gone)
    return gone;
  return files.sync(directories_of(whole));
}

Result<std::string> staging_directory(const Files& files, const std::string& path,
                                      const std::vector<std::string>& read_whole) {
  const std::string own = parent_directory(path);
  std::string staging = own;
  auto is_read = [&] {
    return std::ranges::any_of(read_whole,
                               [&](const std::string& whole) { return is_within(staging, whole); });
  };
  while (is_read() && staging != "/") staging = parent_directory(staging);
  if (staging == own) return own;
  auto here = files.stat(own), there = files.stat(staging);
  if (here && there && here->device == there->device) return staging;
  return fail(
      Code::unsupported, "replace", path,
      fmt::format("a server reads every file of {}, so the new one has to be made ready above it, "
                  "and {} is on another file system",
                  own, staging),
      "include it by a pattern (*.conf) instead, or edit the file by hand");
}

}  // namespace certrebind
