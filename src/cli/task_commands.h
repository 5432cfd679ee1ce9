// What the parts of `certrebind task` have in common.
#pragma once

#include "cli/command_line.h"
#include "cli/output.h"
#include "daemon/task_directory.h"
#include "daemon/task_queue.h"

namespace certrebind {

CommandSpec task_add_command();
CommandSpec task_run_command();
CommandSpec task_history_command();

LoadedTasks load_tasks(Context& context);

// The task of that name, or why there is none: the complaint about its file or the directory.
Result<Task> task_named(const LoadedTasks& loaded, const std::string& name);

// The database for the queue, beside whoever holds the lock; the hint says how to get the right.
Result<Database> open_queue(Context& context);

std::string task_status_text(const TaskRun& run);
Json to_json(const TaskRun& run);

}  // namespace certrebind
