// Successions of the past, for tasks that begin later.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/task.h"
#include "state/database.h"

namespace certrebind {

struct ExistingRuns {
  size_t queued = 0;
  size_t too_long = 0;  // chains of more than 20 successions, or that lead back: not followed
};

// Follows every succession to the end of its chain (A to B to C: A to C, B to C), logs an event
// 1001 for each that the task is interested in, and queues a run for it, all in one database
// transaction. The events are marked as made for this task: they trigger nothing else.
Result<ExistingRuns> enqueue_for_existing(Database& database, const Task& task, WallTime now);

}  // namespace certrebind
