// The arguments of an HAProxy.
#pragma once

#include <string>
#include <vector>

namespace certrebind::haproxy {

struct CommandLine {
  std::vector<std::string> configs;  // -f and the arguments after "--", in order
  std::string directory;             // -C
  std::string peer;                  // -L
  bool master_worker = false;        // -W, -Ws
  bool one_shot = false;             // -c, -cc, -v, -vv, -h: not a server
};

// Takes an argument vector, the program's name first. A reloaded master shows "-sf PID…" and "-x
// SOCKET" before its original arguments.
CommandLine parse_arguments(const std::vector<std::string>& arguments);

}  // namespace certrebind::haproxy
