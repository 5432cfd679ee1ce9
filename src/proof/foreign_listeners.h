// Finds processes that take connections at a server's addresses and that its reload does not reach:
// the workers of a killed main process, a second main process after an upgrade of the program,
// another server that shares the port. Such a process keeps serving its old certificates. No number
// of handshakes is sure to find it, because connections come to it in streaks.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "proof/proof.h"
#include "service/service.h"
#include "survey/survey.h"
#include "sys/host.h"

namespace certrebind {

struct ForeignListener {
  int pid = 0;  // 0: the process that has the socket cannot be seen
  std::string executable;
  WallTime since;
  std::string address;  // the bound address; may be a wildcard
  uint16_t port = 0;    // 0: a UNIX socket
  std::string why;      // how we know that it does not belong to the server

  // "process 123 (/usr/sbin/server, since 2026-01-01 …) also takes connections at …"
  std::string text() const;
  std::string next() const;
};

// The addresses of the expectations that answered.
std::set<Address> addresses_of(const std::vector<Expectation>& expectations);

// Returns each process once. `master` is the server's main process, or its only process. A process
// must be seen twice: a child between fork(2) and exec(2) holds its parent's sockets for a moment.
std::vector<ForeignListener> foreign_listeners(const Host& host, const SignalReload& master,
                                               const std::set<Address>& addresses);
// Checks every address that handshakes with a surveyed server use. Returns nothing if the server
// does not run.
std::vector<ForeignListener> foreign_listeners_of(const Host& host, const Survey& survey,
                                                  const Service& service);

}  // namespace certrebind
