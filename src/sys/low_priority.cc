#include "sys/low_priority.h"

#include <sys/resource.h>

#include <system_error>
#include <thread>

namespace certrebind {

namespace {

constexpr int kNice = 10;

}  // namespace

void run_at_low_priority(const std::function<void()>& work) {
  try {
    std::jthread([&] {
      // On Linux this affects the calling thread only, contrary to POSIX (nice(2), C library
      // differences).
      ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kNice);
      work();
    });
  } catch (const std::system_error&) {
    work();  // no thread could be created: run in this one
  }
}

}  // namespace certrebind
