// What a server wrote into its error log since a given moment: often the only place where it says
// why it did not load a configuration.
#pragma once

#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

class ErrorLog {
 public:
  // `files`: the host as the server's owner sees it; a log may be anybody's file. Must outlive this
  // object.
  ErrorLog(const Files& files, std::vector<std::string> paths);

  // Notes where the logs end now.
  void begin();
  // The last serious lines since `begin`, each once, cut to a readable length: those that a server
  // marks as emerg, alert or crit. Empty if there are none.
  std::vector<std::string> said() const;

 private:
  struct Log {
    std::string path;
    uint64_t inode = 0;
    uint64_t end = 0;
  };
  const Files& files_;
  std::vector<Log> logs_;
};

}  // namespace certrebind
