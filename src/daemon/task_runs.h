// The rows of task_runs. Use these inside Database::atomically or guarded: they throw what
// SQLiteCpp throws.
#pragma once

#include "daemon/task_queue.h"

namespace certrebind {

int64_t insert_run(Database& database, const TaskRun& run, const std::string& runner = {});
// See TaskQueue::enqueue.
int64_t enqueue_run(Database& database, const Task& task, std::optional<int64_t> event,
                    WallTime due);
std::optional<TaskRun> run_of(Database& database, int64_t id);
// Runs without their output. `where`: an SQL condition and order with one "?" for `text`.
std::vector<TaskRun> runs_where(Database& database, const std::string& where,
                                const std::string& text);
std::string runner_in(Database& database, int64_t id);
bool is_running(Database& database, const std::string& task);

// The first queued run of a task, by due time.
std::optional<TaskRun> first_queued(Database& database, const std::string& task);

}  // namespace certrebind
