// When a task's timer elapses. Pure functions; the queue stores when it last elapsed.
#pragma once

#include <string>

#include "daemon/task.h"

namespace certrebind {

// "every 12h", "daily 03:30". A different text is a different timer, which starts anew. Only for
// tasks with a timer.
std::string timer_text(const Task& task);

// True if `last` is further in the future than a normal clock adjustment explains.
bool is_implausible(const Task& task, WallTime last, WallTime now);

// When the timer elapses after `last`. Not later than `now` if it was missed, however often. An
// implausible `last` counts as `now`, so that a clock that was set back stalls nothing.
WallTime strikes_after(const Task& task, WallTime last, WallTime now);

}  // namespace certrebind
