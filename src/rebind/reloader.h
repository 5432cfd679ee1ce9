// Telling a server to take up new files, and knowing what has become of it. What it serves is for
// proof.h.
#pragma once

#include <memory>
#include <vector>

#include "service/service.h"
#include "sys/host.h"

namespace certrebind {

class Reloader {
 public:
  // `service` may be null: its program or configuration is no longer found, and nothing runs.
  Reloader(const Service* service, const Host& host) : service_(service), host_(host) {}

  bool is_running() const { return target().has_value(); }
  // When the processes that take connections now were started, the oldest of them: what was changed
  // later they have not read. Nothing where the service cannot tell them from others.
  std::optional<WallTime> serving_since();
  // The process that was found running is there no more.
  bool master_is_gone() const;

  // Whether a reload could bind every address that the configuration names. It runs nothing.
  Done can_listen() const;

  // Finds out how the server can take up `files`: over its control socket, which leaves all else
  // alone, or by a reload. Only looks. Fails where neither is possible now: somebody else's change
  // is under way (Code::busy), or only a restart would do (Code::unsupported).
  Done choose(const std::vector<std::string>& files);
  // It is to be told over its control socket.
  bool is_live() const { return live_ != nullptr; }

  // Tells it. Over the socket what lies on disk goes to the server's memory; where that cannot even
  // be begun, it is a reload after all. `resumed`: a crash may have left such a change half done.
  Done tell(bool resumed);
  // Waits until the master takes the signal, notes who takes connections then, and sends it.
  // Code::timed_out: it does not take it, and was not told.
  Done reload();
  // Some of those noted still take connections. False where the service cannot tell them apart.
  bool old_workers_remain() const;
  std::optional<SignalReload> target() const;

 private:
  void note_listeners(const SignalReload& master);
  std::vector<Process> workers() const;
  Done await_handler(const SignalReload& master) const;
  Done hold(Dialogue& dialogue) const;
  bool takes_connections(const Process& worker) const;

  const Service* service_;
  const Host& host_;
  std::unique_ptr<LiveUpdate> live_;
  std::vector<Process> old_workers_;
  std::vector<uint64_t> listeners_;  // the master's, before the signal
};

}  // namespace certrebind
