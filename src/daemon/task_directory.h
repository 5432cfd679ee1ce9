// The directory of tasks: one file NAME.toml each. Tasks run as whoever runs certrebind, mostly
// root, so nobody else may be able to write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/task.h"
#include "sys/files.h"

namespace certrebind {

struct LoadedTasks {
  std::vector<Task> tasks;    // by file name
  std::vector<Error> errors;  // of files (or of the directory) that were left out

  const Task* find(const std::string& name) const;
};

// Reads all of them: `user` is who runs us (own_user()). A file is refused that does not belong to
// root or `user`, or that its group or others may write, and so is one in such a directory; a
// second task of one name is refused too. A directory that does not exist holds no tasks.
LoadedTasks load_tasks(const Files& files, const std::string& directory, uint32_t user);

// Writes NAME.toml durably, making the directory where needed. Code::exists if there is a task or a
// file of that name.
Done add_task(Files& files, const std::string& directory, uint32_t user, const Task& task);

// Code::not_found if there is no such task. A file that cannot be read as a task is removed by its
// file name without ".toml".
Done remove_task(Files& files, const std::string& directory, uint32_t user,
                 const std::string& name);

}  // namespace certrebind
