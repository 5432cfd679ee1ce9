// Shows one program other content in some files than everybody else sees: the files are covered in
// a mount namespace of its own (mount_namespaces(7)). So a server's own test can read what a plan
// would write, and nothing on disk changes. The content is in memory only, and goes with the
// program.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/processes.h"

namespace certrebind {

class ShownFiles {
 public:
  // Looks up the owner and mode of each file; the new content gets the same. The files must exist.
  static Result<ShownFiles> prepare(const std::vector<ShownFile>& shown);

  bool empty() const { return covers_.empty(); }
  // Covers the files. For the child, after the fork, in its own mount namespace; only system calls
  // are made (signal-safety(7)). False, with errno, if that failed.
  bool cover() const;

 private:
  struct Cover {
    std::string path, staged, content;
    uid_t owner = 0;
    gid_t group = 0;
    mode_t mode = 0;
  };
  std::vector<Cover> covers_;
};

}  // namespace certrebind
