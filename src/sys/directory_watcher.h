// Reports that directories changed (inotify(7)). The caller finds out what changed: an event only
// says that it is time to look.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "sys/descriptor.h"

namespace certrebind {

struct Change {
  std::string directory;
  std::string name;  // of the entry; empty: the directory itself was created, removed or moved
};

struct Changes {
  std::vector<Change> seen;
  bool overflowed = false;  // events were lost: anything may have changed
};

// The result of a request to watch.
struct Watching {
  bool is_new =
      false;  // some directories were not watched before: their earlier events are unknown
  // Directories that cannot be watched.
  std::set<std::string> eventless;  // on file systems without events (NFS, FUSE and the like)
  std::vector<Error> errors;        // Code::busy: the inotify limit is reached; the hint names it
};

class DirectoryWatcher {
 public:
  // If the system has no inotify instance left (EMFILE of inotify_init(2)), the watcher watches
  // nothing and returns an error for each request.
  static DirectoryWatcher create();

  // Watches exactly these directories from now on. Some of them may not exist.
  Watching watch_exactly(const std::set<std::string>& directories);

  // The events since the last call. Does not wait.
  Changes take();

  int descriptor() const { return inotify_.get(); }  // negative if nothing can be watched

 private:
  explicit DirectoryWatcher(Descriptor inotify) : inotify_(std::move(inotify)) {}
  void add(const std::string& directory, Watching& watching);
  void forget(const std::string& directory, int watch);

  Descriptor inotify_;
  std::optional<Error> why_none_;
  std::unordered_map<std::string, int> by_directory_;
  std::set<std::string> eventless_;
  std::unordered_map<int, std::set<std::string>>
      by_watch_;  // several names of one directory share one watch
};

}  // namespace certrebind
