// Work on many independent things with a few threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace certrebind {

// Calls work(index) once for each index below `count`, from up to `threads` threads, the caller's
// among them. Returns when all are done. `work` must not throw.
template <class Work>
void for_each_index(size_t count, size_t threads, const Work& work) {
  std::atomic<size_t> next = 0;
  auto loop = [&] {
    for (size_t index = next++; index < count; index = next++) work(index);
  };
  std::vector<std::jthread> helpers;
  try {
    for (size_t i = 1; i < threads && i < count; ++i) helpers.emplace_back(loop);
  } catch (const std::system_error&) {
    // Fewer threads are slower, not wrong.
  }
  loop();
}

}  // namespace certrebind
