// Telling a server to reload, and knowing what has become of it. What it serves is for proof.h.
#pragma once

#include <vector>

#include "service/service.h"
#include "sys/processes.h"

namespace certrebind {

class Reloader {
 public:
  // `service` may be null: its program or configuration is no longer found, and nothing runs.
  Reloader(const Service* service, ProcessTable& processes)
      : service_(service), processes_(processes) {}

  bool is_running() const { return target().has_value(); }
  // The process that was found running is there no more.
  bool master_is_gone() const;
  // Notes who takes connections now, then sends the signal.
  Done reload();
  // Some of those noted still take connections. False where the service cannot tell them apart.
  bool old_workers_remain() const;
  std::optional<SignalReload> target() const;

 private:
  std::vector<Process> workers() const;
  bool takes_connections(const Process& worker) const;

  const Service* service_;
  ProcessTable& processes_;
  std::vector<Process> old_workers_;
  std::vector<uint64_t> listeners_;  // the master's, before the signal
};

}  // namespace certrebind
