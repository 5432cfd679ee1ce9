// Runs work at low CPU priority.
#pragma once

#include <functional>

namespace certrebind {

// Calls `work`, which must not throw, at a lower priority (nice(2)) than this thread's own, in a
// thread of its own: an ordinary user could not raise it again. Threads that it starts are like it.
void run_at_low_priority(const std::function<void()>& work);

}  // namespace certrebind
