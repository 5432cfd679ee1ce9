// Queues runs for past successions, for tasks that are added later.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/task.h"
#include "state/database.h"

namespace certrebind {

struct ExistingRuns {
  size_t queued = 0;
  size_t too_long = 0;  // chains of more than 20 successions, or cyclic ones: not followed
};

// Follows every succession to the end of its chain (A to B to C: A to C, B to C). For each that
// matches the task it logs an event 1001 and queues a run, all in one database transaction. The
// events are marked as made for this task, so that they trigger nothing else.
Result<ExistingRuns> enqueue_for_existing(Database& database, const Task& task, WallTime now);

}  // namespace certrebind
