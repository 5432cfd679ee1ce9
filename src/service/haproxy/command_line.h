// What an HAProxy was started with, from its arguments.
#pragma once

#include <string>
#include <vector>

namespace certrebind::haproxy {

struct CommandLine {
  std::vector<std::string> configs;  // -f and what follows "--", in order
  std::string directory;             // -C
  std::string peer;                  // -L
  bool master_worker = false;        // -W, -Ws
  bool one_shot = false;             // -c, -cc, -v, -vv, -h: it is no server
};

// Takes an argument vector, the program's name first. A reloaded master shows "-sf PID…" and "-x
// SOCKET" in front of what it was started with.
CommandLine parse_arguments(const std::vector<std::string>& arguments);

}  // namespace certrebind::haproxy
