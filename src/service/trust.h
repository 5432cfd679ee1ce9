// Determines the owner of a server. Processes and files on a host describe themselves, and anybody
// may have written them: a process chooses its title and arguments, a user writes his configuration
// and programs. So each server has an owner, and everything about it is read, run and signalled
// with the owner's rights (ARCHITECTURE.md, "Whose rights").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

struct Trust {
  uint32_t owner = own_user();
  // Not empty: why a server of root is not run, signalled or edited: another user could change what
  // would be run.
  std::string doubt = {};

  // Why the program must not be run to query its build options. Empty if it may be run: only root,
  // or this user, could have put it there.
  std::string unasked = {};

  // The server's owner is a user for this server only. certrebind may change the files that it
  // reads, with that user's rights.
  bool owner_writes = false;

  // Not empty: the server runs in a container, whose root directory this is ("/proc/PID/root").
  // Whoever rules the container is not root here, whatever its user id says: nothing there is run,
  // and only files are changed that the container cannot change itself.
  std::string container = {};

  bool is_ours() const { return owner == own_user() && container.empty(); }
  // "user 33", "a container (process 4711)"
  std::string whose() const;
};

// The owner of a running server is the owner of its process. For root the executable must be root's
// too.
Trust trust_of(const Process& process, const Files& files);
// The owner of a server that does not run is the owner of its program, because the user who runs
// certrebind named its configuration.
Trust trust_of_idle(const std::string& executable, const Files& files);

// Checks the files that a server of root obeys (configuration files, included directories, modules;
// as named, absolute on this host). Empty if only root can change all of them and every directory
// on their paths. Otherwise names the file, and who could change it.
std::string who_else_could_change(const Files& files, const std::vector<std::string>& obeyed);

}  // namespace certrebind
