// Telling a server to take up new files, and knowing what has become of it. What it serves is for
// proof.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "service/service.h"
#include "sys/host.h"
#include "transaction/reload_preview.h"

namespace certrebind {

class Reloader {
 public:
  // `service` may be null: its program or configuration is no longer found, and nothing runs.
  Reloader(const Service* service, const Host& host)
      : service_(service), host_(host), preview_(service, host.files) {}

  bool is_running() const { return target().has_value(); }
  // When the processes that take connections now were started, the oldest of them: what was changed
  // later they have not read. Nothing where the service cannot tell them from others.
  std::optional<WallTime> serving_since();
  // The process that was found running is there no more.
  bool master_is_gone() const;

  // Whether a reload could bind every address that the configuration names. It runs nothing.
  Done can_listen();
  // Looks at all that a reload wants to know beforehand, beside what goes on meanwhile: what has
  // not changed by then is not looked at again.
  void get_ready();
  // What is on disk now, as the server would load it.
  ReloadPreview& loadable() { return preview_; }

  // Finds out how the server can take up `files`: over its control socket, which leaves all else
  // alone, or by a reload. Only looks. Fails where neither is possible now: somebody else's change
  // is under way (Code::busy), or only a restart would do (Code::unsupported).
  Done choose(const std::vector<std::string>& files);
  // It is to be told over its control socket.
  bool is_live() const { return live_ != nullptr; }

  // Asks the server which certificates it has that were not seen; none where it cannot be asked.
  Result<std::vector<std::string>> unseen() const;

  // Tells it. Over the socket what lies on disk goes to the server's memory; where that cannot even
  // be begun, it is a reload after all. `resumed`: a crash may have left such a change half done.
  Done tell(bool resumed);
  // Not empty, why: from now on `tell` does not fall back to a reload.
  void must_not_reload(std::string why) { no_reload_ = std::move(why); }
  // Called each time before the server is signalled.
  void before_reload(std::function<void()> act) { before_reload_ = std::move(act); }
  // Waits until the master takes the signal, notes who takes connections then, and sends it.
  // Code::timed_out: it does not take it, and was not told.
  Done reload();
  // Some of those noted still take connections. False where the service cannot tell them apart.
  bool old_workers_remain() const;
  std::optional<SignalReload> target() const;

 private:
  // On what the server's processes listen. Only a reload changes that, and it changes the children.
  struct Listeners {
    std::vector<Process> children;
    Result<std::set<uint16_t>> ports = std::set<uint16_t>();  // an error: it cannot be told
    std::optional<std::vector<uint64_t>> of_master = {};      // sockets; unset: not asked yet
  };
  const Listeners& listeners(const SignalReload& master);
  std::vector<Process> workers();
  Done must_be_trusted() const;
  Done await_handler(const SignalReload& master) const;
  Done await_whole_pairs();
  Done hold(SocketConversation& dialogue) const;
  bool takes_connections(const Process& worker) const;

  const Service* service_;
  const Host& host_;
  ReloadPreview preview_;
  std::unique_ptr<LiveUpdate> live_;
  std::string no_reload_;
  std::function<void()> before_reload_;
  std::optional<Listeners> listeners_;
  std::vector<Process> old_workers_;
};

}  // namespace certrebind
