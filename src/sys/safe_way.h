// Who else could lead us elsewhere. What is written is named by a path, several times, with root's
// rights: whoever may change a directory on the way could put a link, or another file, in place of
// what was looked at, and have a file of somebody else's read, given away or overwritten.
#pragma once

#include <map>
#include <string>

#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

class SafeWay {
 public:
  // Trusted are root and `user`.
  explicit SafeWay(const Files& files, uint32_t user = own_user()) : files_(files), user_(user) {}

  // Nothing if, all the way to `path` (absolute) and through every link on it, only who is trusted
  // may change directories; those like /tmp, where everybody owns his entries (sticky), are well if
  // the entry is ours. Else Code::denied, with the directory. What is not there is no error.
  Done to(const std::string& path) { return walk(path, 0); }

  // The same, and nobody else may change what lies there: for what is obeyed or run.
  Done to_content(const std::string& path);

  // As `to`, and gives what `path` leads to, which must exist.
  Result<std::string> real_path(const std::string& path);

 private:
  Done walk(const std::string& path, int links);
  Done must_be_ours(const std::string& directory, const FileInfo& info);
  bool is_trusted(const FileInfo& info) const { return info.owner == 0 || info.owner == user_; }

  const Files& files_;
  const uint32_t user_;
  std::map<std::string, bool> directories_;  // those that are safe; whether they are like /tmp
};

}  // namespace certrebind
