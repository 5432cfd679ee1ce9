#include "sys/safe_way.h"

#include <fmt/format.h>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr int kMostLinks = 40;  // Linux's limit (path_resolution(7))
constexpr uint32_t kSticky = 01000, kGroupMayWrite = 0020, kOthersMayWrite = 0002;

std::unexpected<Error> not_trusted(const std::string& path, std::string why) {
  return fail(Code::denied, "trust", path, std::move(why),
              "let only root change it (chown root, chmod go-w)");
}

std::unexpected<Error> unsafe(const std::string& path, std::string who) {
  return fail(Code::denied, "use", path,
              std::move(who) + ", who could put a link or another file there meanwhile",
              "keep what is served in directories that only root may change (chown root, chmod "
              "go-w), and bind that path; until then put the files there yourself, and certrebind "
              "reloads and proves them");
}

}  // namespace

// An ACL that lets more users write also shows as the group's permission (acl(5)), so then the
// group is unknown.
bool SafeWay::others_may_write(const std::string& path, const FileInfo& info) const {
  if ((info.mode & kOthersMayWrite) != 0) return true;
  if ((info.mode & kGroupMayWrite) == 0) return false;
  if (!groups_.contains(info.group)) return true;
  auto attributes = files_.attributes(path);
  return !attributes || attributes->extended.contains(kAccessAcl);
}

Done SafeWay::must_be_ours(const std::string& directory, const FileInfo& info) {
  if (!is_trusted(info)) return unsafe(directory, fmt::format("it belongs to user {}", info.owner));
  bool is_shared = others_may_write(directory, info);
  if (is_shared && (info.mode & kSticky) == 0)
    return unsafe(directory, fmt::format("others may change it (group {}, mode {:04o})", info.group,
                                         info.mode));
  directories_.emplace(directory, is_shared);
  return {};
}

Done SafeWay::walk(const std::string& path, int links) {
  if (directories_.contains(path)) return {};
  // Files there belong to the owner of a process, and their text is whatever its user likes: the
  // arguments of a set-user-ID program, for instance (proc(5)).
  if (path == "/proc") return unsafe(path, "processes are described there");
  const bool is_root = path == "/" || path == ".";
  const std::string parent = parent_directory(path);
  if (!is_root)
    if (Done above = walk(parent, links); !above) return above;
  auto entry = files_.lstat(path);
  if (!entry && entry.error().code == Code::not_found) return {};
  if (!entry) return pass(entry);
  if (!is_root && directories_[parent] && !is_trusted(*entry))
    return unsafe(path, fmt::format("it belongs to user {}", entry->owner));
  if (entry->kind == FileKind::directory) return must_be_ours(path, *entry);
  if (entry->kind != FileKind::symlink) return {};
  if (links == kMostLinks) return fail(Code::failed, "follow", path, "too many links");
  auto target = files_.read_link(path);
  if (!target) return pass(target);
  std::string next = absolute_in(parent, *target);
  if (Done there = walk(next, links + 1); !there) return there;
  if (auto known = directories_.find(next); known != directories_.end())
    directories_.emplace(path, known->second);
  return {};
}

Done SafeWay::to_content(const std::string& path) {
  if (Done safe = to(path); !safe) return safe;
  auto info = files_.stat(path);
  if (!info && info.error().code == Code::not_found) return {};
  if (!info) return pass(info);
  if (!is_trusted(*info))
    return not_trusted(path, fmt::format("it belongs to user {}", info->owner));
  // In a directory like /tmp everybody owns his entries. As a place for files that are obeyed, such
  // a directory is unsafe.
  if (others_may_write(path, *info))
    return not_trusted(
        path, fmt::format("others may change it (group {}, mode {:04o})", info->group, info->mode));
  return {};
}

Result<std::string> SafeWay::real_path(const std::string& path) {
  if (Done safe = to(path); !safe) return pass(safe);
  return files_.real_path(path);
}

}  // namespace certrebind
