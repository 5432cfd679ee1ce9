// Runs work at low CPU priority.
#pragma once

#include <functional>

namespace certrebind {

// Calls `work`, which must not throw, in a new thread at a lower priority (nice(2)). It needs a new
// thread because an ordinary user cannot raise the priority again. Threads that `work` starts
// inherit the priority.
void run_at_low_priority(const std::function<void()>& work);

}  // namespace certrebind
