// The program of a task. A task runs as the user who runs certrebind, mostly root, so nobody else
// may be able to change the program.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

// The absolute path of the command's program, searched like execvp(3), but in the PATH of the
// command's own environment. Code::not_found if there is none. Code::denied if a user other than
// root and `user` may change the program, a file that an interpreter or a program like env(1)
// is given, or a directory
// on the way to one of them.
Result<std::string> program_of(const Files& files, const Command& command,
                               uint32_t user = own_user());

}  // namespace certrebind
