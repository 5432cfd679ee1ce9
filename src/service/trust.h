// Whose a server is. What is found on a host tells a lot about itself, and anybody may have written
// it: a process chooses its title and its arguments, a user his configuration and his programs. So
// each server has an owner of trust, and everything about it is read, run and signalled with his
// rights (ARCHITECTURE.md, "Whose rights").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

struct Trust {
  uint32_t owner = own_user();
  // Not empty: why nothing of it is run, signalled or edited although it is root's: somebody else
  // could change what would be run.
  std::string doubt = {};

  // Why the program may not be asked how it was built; empty where it may: nobody but root could
  // have put it there, or we are who could.
  std::string unasked = {};

  bool is_ours() const { return owner == own_user(); }
};

// A server that runs is its process's owner's; of root's the executable must be root's, too.
Trust trust_of(const Process& process, const Files& files);
// One that does not run is whose this program is: its configuration was named by who runs it.
Trust trust_of_idle(const std::string& executable, const Files& files);

// What a server of root's obeys (configuration files, directories of included ones, modules; as
// named, absolute on this host). Empty where only root can change all of it, on every directory of
// the way; else what it is, and who could.
std::string who_else_could_change(const Files& files, const std::vector<std::string>& obeyed);

}  // namespace certrebind
