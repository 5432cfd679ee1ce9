// Tells that something changed in directories (inotify(7)). What changed is for whoever asks to
// look at: an event only says that it is time to look.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "sys/descriptor.h"

namespace certrebind {

struct Change {
  std::string directory;
  std::string name;  // of the entry; empty: the directory itself came, went or moved
};

struct Changes {
  std::vector<Change> seen;
  bool overflowed = false;  // some were lost: anything may have changed
};

// What became of a wish to watch.
struct Watching {
  bool is_new = false;  // some were not watched before: what happened to them until now is not told
  // What could not be watched.
  std::set<std::string> eventless;  // on file systems that tell nothing (NFS, FUSE and the like)
  std::vector<Error> errors;        // Code::busy: the limit is reached; the hint names it
};

class DirectoryWatcher {
 public:
  // Where the limit of instances is reached it watches nothing: `watch_exactly` says so then.
  static Result<DirectoryWatcher> create();

  // From now on exactly these, of which some may not exist.
  Watching watch_exactly(const std::set<std::string>& directories);

  // What happened since the last call, without waiting.
  Changes take();

  int descriptor() const { return inotify_.get(); }

 private:
  explicit DirectoryWatcher(Descriptor inotify) : inotify_(std::move(inotify)) {}
  void add(const std::string& directory, Watching& watching);
  void forget(const std::string& directory, int watch);

  Descriptor inotify_;
  std::unordered_map<std::string, int> by_directory_;
  std::set<std::string> eventless_;
  std::unordered_map<int, std::set<std::string>> by_watch_;  // names of one directory have one
};

}  // namespace certrebind
