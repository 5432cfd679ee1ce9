#include "sys/directory_watcher.h"

#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/system_error.h"

namespace certrebind {

namespace {

constexpr uint32_t kInteresting = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                  IN_ONLYDIR;

// Other machines or processes change these without kernel events. The numbers without a name in
// linux/magic.h are CIFS and SMB2.
constexpr std::array<uint32_t, 8> kEventless = {NFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, SMB_SUPER_MAGIC,
                                                0xFF534D42,      0xFE534D42,       V9FS_MAGIC,
                                                AFS_SUPER_MAGIC, CEPH_SUPER_MAGIC};

bool tells_nothing(const std::string& directory) {
  struct statfs info {};
  if (::statfs(directory.c_str(), &info) != 0) return false;
  for (uint32_t magic : kEventless)
    if (static_cast<uint32_t>(info.f_type) == magic) return true;
  return false;
}

}  // namespace

DirectoryWatcher DirectoryWatcher::create() {
  DirectoryWatcher watcher(Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)));
  if (watcher.inotify_.get() >= 0) return watcher;
  auto failed = system_failure(errno, "watch", "directories");
  if (errno == EMFILE) {
    failed.error().cause = "this user's limit of inotify instances is reached";
    failed.error().hint = "raise it: sysctl fs.inotify.max_user_instances";
  }
  watcher.why_none_ = failed.error();
  return watcher;
}

Watching DirectoryWatcher::watch_exactly(const std::set<std::string>& directories) {
  if (why_none_) return {.is_new = false, .eventless = {}, .errors = {*why_none_}};
  for (auto known = by_directory_.begin(); known != by_directory_.end();) {
    if (directories.contains(known->first)) {
      ++known;
      continue;
    }
    forget(known->first, known->second);
    known = by_directory_.erase(known);
  }
  Watching watching;
  for (const std::string& directory : directories)
    if (!by_directory_.contains(directory)) add(directory, watching);
  watching.eventless = eventless_;
  return watching;
}

void DirectoryWatcher::forget(const std::string& directory, int watch) {
  eventless_.erase(directory);
  auto names = by_watch_.find(watch);
  if (names == by_watch_.end()) return;
  names->second.erase(directory);
  if (!names->second.empty()) return;
  ::inotify_rm_watch(inotify_.get(), watch);
  by_watch_.erase(names);
}

void DirectoryWatcher::add(const std::string& directory, Watching& watching) {
  int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), kInteresting);
  if (watch < 0) {
    // The directory vanished. The next look finds whatever is there instead.
    if (errno == ENOENT || errno == ENOTDIR) {
      watching.is_new = true;
      return;
    }
    auto failed = system_failure(errno, "watch", directory);
    if (errno == ENOSPC) {
      failed.error().code = Code::busy;
      failed.error().cause = "the limit of watched directories is reached";
      failed.error().hint = "raise it: sysctl fs.inotify.max_user_watches";
    }
    watching.errors.push_back(failed.error());
    return;
  }
  watching.is_new = true;
  if (tells_nothing(directory)) eventless_.insert(directory);
  by_directory_[directory] = watch;
  by_watch_[watch].insert(directory);
}

Changes DirectoryWatcher::take() {
  Changes changes;
  if (why_none_) return changes;
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  for (ssize_t got; (got = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) changes.overflowed = true;
      auto known = by_watch_.find(event->wd);
      if (known == by_watch_.end()) continue;
      bool itself = (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0;
      std::string name = itself || event->len == 0 ? "" : event->name;
      for (const std::string& directory : known->second) changes.seen.push_back({directory, name});
      if (!itself) continue;
      // A moved directory is no longer at its path. It is watched again if it comes back.
      if ((event->mask & IN_IGNORED) == 0) ::inotify_rm_watch(inotify_.get(), event->wd);
      for (const std::string& directory : known->second) {
        by_directory_.erase(directory);
        eventless_.erase(directory);
      }
      by_watch_.erase(known);
    }
  }
  return changes;
}

}  // namespace certrebind
