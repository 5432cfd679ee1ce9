// Common code of the `certrebind task` commands.
#pragma once

#include "cli/command_line.h"
#include "cli/output.h"
#include "daemon/task_directory.h"
#include "daemon/task_queue.h"

namespace certrebind {

inline constexpr const char* kAutoenrollTask = "autoenroll";  // the task that `autoenroll` writes

CommandSpec task_add_command();
CommandSpec task_edit_command(), task_enable_command(), task_disable_command();
CommandSpec task_run_command();
CommandSpec task_history_command();

// A command whose argument is the name of a task.
CommandSpec named_task_command(const char* name, const char* summary, const char* footer,
                               std::function<int(Context&, const std::string&)> act);

LoadedTasks load_tasks(Context& context);

// The task of that name. Otherwise the error of its file or of the directory.
Result<Task> task_named(const LoadedTasks& loaded, const std::string& name);

// Opens the database for the queue, without the lock. The hint says how to get permission.
Result<Database> open_queue(Context& context);

// An error if the task's program is missing, or if others may change what would run as root. A
// program that is a variable is known only when it runs.
Done check_program(Context& context, const Task& task);

std::string task_status_text(const TaskRun& run);
Json to_json(const TaskRun& run);

}  // namespace certrebind
