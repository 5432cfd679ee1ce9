// Work that others on this machine come before.
#pragma once

#include <functional>

namespace certrebind {

// Calls `work`, which must not throw, at a lower priority (nice(2)) than this thread's own, in a
// thread of its own: an ordinary user could not raise it again. Threads that it starts are like it.
void run_behind(const std::function<void()>& work);

}  // namespace certrebind
