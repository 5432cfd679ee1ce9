// When a task's timer strikes. Pure; the queue remembers when it struck last.
#pragma once

#include <string>

#include "daemon/task.h"

namespace certrebind {

// "every 12h", "daily 03:30": another text is another timer, which begins anew. For tasks that have
// one.
std::string timer_text(const Task& task);

// `last` lies further in the future than a clock that is merely being adjusted explains.
bool is_implausible(const Task& task, WallTime last, WallTime now);

// When it strikes after `last`: not later than `now` if that was missed, however often. `last`
// counts as `now` where it is implausible: a clock that was put back stalls nothing.
WallTime strikes_after(const Task& task, WallTime last, WallTime now);

}  // namespace certrebind
