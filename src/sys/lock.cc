#include "sys/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/text.h"
#include "sys/descriptor.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

class HeldLock final : public Lock {
 public:
  explicit HeldLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;
};

std::string holder_of(const Descriptor& file) {
  char text[32] = {};
  ssize_t length = ::pread(file.get(), text, sizeof text - 1, 0);
  std::string pid(trim(std::string(text, length > 0 ? static_cast<size_t>(length) : 0)));
  return pid.empty() ? "another certrebind is at work" : "certrebind (pid " + pid + ") is at work";
}

// Writes the pid for the message of the next process. The lock works without it.
void write_holder(const Descriptor& file) {
  std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), pid.data(), pid.size(), 0);
}

}  // namespace

Result<std::unique_ptr<Lock>> take_lock(const std::string& path, milliseconds patience) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_failure(errno, "open the lock", path);
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return system_failure(errno, "lock", path);
    if (std::chrono::steady_clock::now() >= deadline)
      return fail(Code::busy, "take the lock", path, holder_of(file), "wait for it to finish");
    std::this_thread::sleep_for(milliseconds(20));
  }
  write_holder(file);
  return std::make_unique<HeldLock>(std::move(file));
}

bool is_locked(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace certrebind
