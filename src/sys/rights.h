// Doing something with the rights of another user than root. Most of what certrebind reads was
// written by somebody else, and nobody gains a right by it: what is a user's is read, run and
// signalled with his rights.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// A user with the groups that a login of his has (initgroups(3)).
struct Rights {
  uint32_t user = 0;
  uint32_t group = 0;
  std::vector<gid_t> groups;
};

// A user whom nobody knows by name has the group `nogroup` and no other.
Rights rights_of(uint32_t user);

// The user with this name, or with this number; unset where there is none.
std::optional<uint32_t> user_called(const std::string& name);

// Takes these rights for good, with no way back: no capability is left, and no program that is
// started later gives any (PR_SET_NO_NEW_PRIVS). Only system calls: it may follow a fork
// (signal-safety(7)). False if anything of that failed; then the process must not go on.
bool take_for_good(const Rights& rights);

// The files of this machine as `user` sees them: every call is made with his rights
// (setfsuid(2)), so that a link or a name of his leads to nothing that he could not reach
// himself. Nothing larger than 16 MiB is read, nor more than 64 MiB in all. Needs root; several
// threads may ask at once.
std::unique_ptr<Files> files_seen_by(uint32_t user);

}  // namespace certrebind
