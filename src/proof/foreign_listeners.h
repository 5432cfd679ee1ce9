// Processes that take connections at a server's addresses and that its reload does not reach: the
// workers of a main process that was killed, a second main process after an upgrade of the program,
// another server that shares the port. What such a process serves stays as it is, and no number of
// handshakes shows that it is there: connections come to it in streaks.
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
  int pid = 0;  // 0: no process that can be seen from here has the socket
  std::string executable;
  WallTime since;
  std::string address;  // as it is bound: a wildcard may be
  uint16_t port = 0;    // 0: of a UNIX socket
  std::string why;      // how it is known not to be the server's own

  // "process 123 (/usr/sbin/server, since 2026-01-01 …) also takes connections at …"
  std::string text() const;
  std::string next() const;
};

// The addresses at which these are asked.
std::set<Address> addresses_of(const std::vector<Expectation>& expectations);

// Each process once. `master` is the server's main process, or the one that serves. What is seen
// only once counts as passing: a child between fork(2) and exec(2) holds its parent's sockets.
std::vector<ForeignListener> foreign_listeners(const Host& host, const SignalReload& master,
                                               const std::set<Address>& addresses);
// The same of every address at which a surveyed server is asked; none where it does not run.
std::vector<ForeignListener> foreign_listeners_of(const Host& host, const Survey& survey,
                                                  const Service& service);

}  // namespace certrebind
