// The task directory: one file NAME.toml per task. Tasks run as the user who runs certrebind,
// mostly root, so no other user may be able to write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/task.h"
#include "sys/files.h"

namespace certrebind {

struct LoadedTasks {
  std::vector<Task> tasks;    // by file name
  std::vector<Error> errors;  // of rejected files, or of the directory

  const Task* find(const std::string& name) const;
  // Why there is no task of this name, with the name that was probably meant (Code::not_found).
  Error no_such_task(const std::string& name) const;
};

// Reads all tasks. `user` is the user who runs certrebind (own_user()). Rejects a file that does
// not belong to root or `user`, or that its group or others may write. Rejects a directory for the
// same reasons, and a second task with the same name. A missing directory contains no tasks.
LoadedTasks load_tasks(const Files& files, const std::string& directory, uint32_t user);

// Writes NAME.toml durably, and creates the directory if needed. Code::exists if a task or a file
// has that name.
Done add_task(Files& files, const std::string& directory, uint32_t user, const Task& task);

// The file of a task as it is, with the path behind all links.
struct TaskFile {
  std::string path;
  std::string text;
};
// Code::not_found if there is no such task; an unreadable task file can be read by its file name
// without ".toml". Rejects the same files as load_tasks.
Result<TaskFile> task_file(const Files& files, const std::string& directory, uint32_t user,
                           const std::string& name);

// Replaces the file's text, which must be a task with this name; keeps owner and mode. Code::failed
// if the file no longer has the text that was read.
Done rewrite_task(Files& files, const TaskFile& was, const std::string& name,
                  const std::string& text);

// Code::not_found if there is no such task. An unreadable task file can be removed by its file name
// without ".toml".
Done remove_task(Files& files, const std::string& directory, uint32_t user,
                 const std::string& name);

}  // namespace certrebind
