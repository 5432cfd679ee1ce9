// One act at a time on one machine: an advisory lock (flock(2)) that ends with the process, however
// it ends.
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

// Takes the lock file at `path`, creating it (mode 0600), and waits at most `patience` for another
// holder. Code::busy if it is still held; the cause names the holder's pid where it can be read.
Result<std::unique_ptr<Lock>> take_lock(const std::string& path, milliseconds patience);

// Whether somebody holds the lock file at `path`. Several may ask at once.
bool is_locked(const std::string& path);

}  // namespace certrebind
