// Runs independent work items on a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace certrebind {

// Calls work(index) once for each index below `count`, on up to `threads` threads, including the
// caller's. Returns when all calls have returned. `work` must not throw.
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

// Like `for_each_index`, for work items that may wait a long time for other programs. When a thread
// has spent `patience` on one item, another thread takes the next item. At most `most` threads run.
// So slow items do not delay the others.
template <class Work>
void for_each_waiting(size_t count, size_t threads, size_t most, std::chrono::milliseconds patience,
                      const Work& work) {
  if (count == 1) return work(0);
  constexpr std::chrono::milliseconds kLeastPatience{50};
  using Steady = std::chrono::steady_clock;
  struct Slot {
    Steady::time_point since;
    bool is_stuck = false, is_over = false;
  };
  std::mutex lock;
  std::condition_variable ended;
  std::deque<Slot> slots;  // one slot per thread; a deque never moves its elements
  size_t next = 0, running = 0;
  std::vector<std::jthread> helpers;
  auto loop = [&](Slot& slot) {
    std::unique_lock locked(lock);
    while (next < count && !slot.is_stuck) {  // a stuck thread has been replaced
      size_t index = next++;
      slot.since = Steady::now();
      locked.unlock();
      work(index);
      locked.lock();
    }
    slot.is_over = true;
    --running;
    ended.notify_all();
  };
  auto add = [&] {  // call with the lock held
    Slot& slot = slots.emplace_back(Slot{.since = Steady::now()});
    ++running;
    try {
      helpers.emplace_back(loop, std::ref(slot));
    } catch (const std::system_error&) {
      slots.pop_back();
      --running;
    }
  };
  std::unique_lock locked(lock);
  for (size_t i = 0; i < threads && i < count; ++i) add();
  while (running > 0) {
    ended.wait_for(locked, patience / 4);
    const auto stuck_since = Steady::now() - patience;
    bool is_more = false;
    for (size_t i = 0, known = slots.size(); i < known; ++i) {
      if (slots[i].is_over || slots[i].is_stuck || slots[i].since > stuck_since) continue;
      if (next >= count || slots.size() >= most) break;
      slots[i].is_stuck = is_more = true;
      add();
    }
    // If some items wait, many will, so the patience is reduced.
    if (is_more) patience = std::max(patience / 2, kLeastPatience);
  }
  locked.unlock();
  helpers.clear();
  while (next < count) work(next++);  // no thread could be created
}

}  // namespace certrebind
