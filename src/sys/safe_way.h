// Guards against other users redirecting our writes. A file is named by its path several times,
// with root's rights. A user who can change a directory on the path could replace the checked file
// by a link or another file. Then root would read, give away or overwrite a file of somebody else.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

class SafeWay {
 public:
  // Trusts root and `user`.
  explicit SafeWay(const Files& files, uint32_t user = own_user()) : files_(files), user_(user) {}

  // Also trusts the members of this group: what they may write is theirs by the system's own rules.
  void trust_group(uint32_t group) { groups_.insert(group); }

  // Succeeds if only trusted users can change the directories on `path` (absolute), including those
  // behind every symbolic link on it. In a sticky directory like /tmp, where each user owns his
  // entries, the entry must be ours. Otherwise Code::denied, with the directory. A missing file is
  // no error.
  Done to(const std::string& path) { return walk(path, 0); }

  // Like `to`, and nobody else may change the file either. For files that are obeyed or run.
  Done to_content(const std::string& path);

  // Like `to`, and returns the real path of `path`, which must exist.
  Result<std::string> real_path(const std::string& path);

 private:
  Done walk(const std::string& path, int links);
  Done must_be_ours(const std::string& directory, const FileInfo& info);
  bool is_trusted(const FileInfo& info) const { return info.owner == 0 || info.owner == user_; }
  bool others_may_write(const std::string& path, const FileInfo& info) const;

  const Files& files_;
  const uint32_t user_;
  // The group root has only root as member.
  std::set<uint32_t> groups_ = {0};
  std::map<std::string, bool>
      directories_;  // directories known to be safe; true if sticky like /tmp
};

}  // namespace certrebind
