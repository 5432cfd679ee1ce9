// Waits for the events of a daemon: changes in directories, signals, the end of children, a
// deadline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sys/descriptor.h"
#include "sys/directory_watcher.h"

namespace certrebind {

struct EndedChild {
  int pid = 0;
  int status = 0;  // exit status; 128 + n: killed by signal n
};

struct Wake {
  bool changes = false;  // the watcher has events
  bool stop = false;     // SIGTERM or SIGINT
  bool rescan = false;   // SIGHUP
  std::vector<EndedChild> ended;
};

class Waiter {
 public:
  // From now on those signals are delivered here only. `watcher` must outlive the Waiter.
  static Result<Waiter> create(const DirectoryWatcher& watcher);

  // Waits until an event occurs, at most for `patience`; without it, for ever.
  Result<Wake> wait(std::optional<milliseconds> patience);

  // Starts a program in its own process group, with neither input nor output. Returns its pid.
  static Result<int> spawn(const std::vector<std::string>& arguments);

 private:
  Waiter(Descriptor epoll, Descriptor signals, int watcher)
      : epoll_(std::move(epoll)), signals_(std::move(signals)), watcher_(watcher) {}
  void take_signals(Wake& wake);

  Descriptor epoll_;
  Descriptor signals_;
  int watcher_;
};

}  // namespace certrebind
