// The path of our own executable, for commands that start it again.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

inline Result<std::string> own_program(const Files& files) {
  return files.read_link("/proc/self/exe");
}

}  // namespace certrebind
