// An advisory lock (flock(2)), so that one operation runs at a time on a machine. The lock ends
// with the process, however it ends.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

class Lock {
 public:
  virtual ~Lock() = default;
};

// Takes the lock file at `path` and creates it (mode 0600) if needed. Waits at most `patience` for
// another holder. Code::busy if the lock is still held; the cause names the holder's pid if it can
// be read.
Result<std::unique_ptr<Lock>> take_lock(const std::string& path, milliseconds patience);

// True if a process holds the lock file at `path`. Several processes may ask at once.
bool is_locked(const std::string& path);

}  // namespace certrebind
