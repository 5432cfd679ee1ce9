// Acts with the rights of another user than root. Most of what certrebind reads was written by
// somebody else, and this must give nobody more rights. So files, programs and processes of a user
// are read, run and signalled with that user's rights.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// A user with the groups of a login (initgroups(3)).
struct Rights {
  uint32_t user = 0;
  uint32_t group = 0;
  std::vector<gid_t> groups;
};

// A user without a name in the user database has the group `nogroup` only.
Rights rights_of(uint32_t user);

// The user with this name or number; unset if there is none.
std::optional<uint32_t> user_called(const std::string& name);

// The number of the group with this name; unset if there is none.
std::optional<uint32_t> group_called(const std::string& name);

// Switches to these rights irrevocably: no capability is left, and no program started later gains
// any (PR_SET_NO_NEW_PRIVS). Uses system calls only, so it may follow a fork (signal-safety(7)).
// False if any step failed; then the process must not go on.
bool take_for_good(const Rights& rights);

// The files of this machine, or of a container (its root directory, sys/container.h), as `user`
// sees them. Every call runs with the user's rights (setfsuid(2)), so a user's link or name reaches
// only files that the user can reach. Reads at most 16 MiB per file and 64 MiB in all. Needs root;
// several threads may call it at once.
std::unique_ptr<Files> files_seen_by(uint32_t user, const std::string& container = "");

}  // namespace certrebind
