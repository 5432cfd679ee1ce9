// The file system of a path: whether it can be written, and what is left of it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace certrebind {

struct FileSystemState {
  uint64_t free_bytes = 0;  // for users other than root
  bool read_only = false;
};
Result<FileSystemState> file_system_of(const std::string& path);

}  // namespace certrebind
