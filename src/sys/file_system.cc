#include "sys/file_system.h"

#include <sys/statvfs.h>

#include <cerrno>

#include "sys/system_error.h"

namespace certrebind {

Result<FileSystemState> file_system_of(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0)
    return system_failure(errno, "look at the file system of", path);
  return FileSystemState{.free_bytes = uint64_t{info.f_bavail} * info.f_frsize,
                         .read_only = (info.f_flag & ST_RDONLY) != 0};
}

}  // namespace certrebind
