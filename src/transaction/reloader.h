// Makes a server load new files, and tells whether the server and its old workers still run. What
// the server serves is checked in proof.h.
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

  // It may be down between the two halves of a restart: then it counts as running.
  bool is_running() const { return target().has_value() || !unit_.empty(); }
  // Start time of the oldest process that takes connections now. These processes have not read any
  // later change. Where nothing tells them from other processes: of the server itself, which may
  // have reloaded since. Empty if it is not running.
  std::optional<WallTime> serving_since();
  // True if the main process that was found running no longer exists.
  bool master_is_gone() const;

  // Checks that a reload could bind every address in the configuration. Runs no program.
  Done can_listen();
  // Collects what a reload needs to know, while other work goes on. Later only what has changed is
  // read again.
  void get_ready();
  // What the server would load from disk now.
  ReloadPreview& loadable() { return preview_; }

  // Lets a server that loads files at its start only be restarted; before `choose`. `why_not`, if
  // not empty, says why it may not be.
  void permit_restart(std::string why_not) { no_restart_ = std::move(why_not); }
  // The unit that a reload restarts; empty if it restarts none.
  const std::string& unit() const { return unit_; }
  // Goes on with a restart of this unit that another process began.
  Done resume_restart(const std::string& unit);

  // Decides how the server loads `files`: over its control socket, which affects nothing else, or
  // by a reload, or by a restart if it may. Changes nothing. Fails if none is possible now: another
  // client has a change open (Code::busy), or only a restart would do (Code::unsupported).
  // `read`: files that the server reads at its start. If there are any, it is restarted only if it
  // was started before one of them changed.
  Done choose(const std::vector<std::string>& files, const std::vector<std::string>& read = {});
  // True if the control socket will be used.
  bool is_live() const { return live_ != nullptr; }

  // Asks the server which certificates it has that the survey did not see; empty if it cannot be
  // asked.
  Result<std::vector<std::string>> unseen() const;

  // The certificates among `files` that the server itself does not name as loaded; none if nothing
  // tells which it has loaded (Reload::loaded).
  Result<std::vector<std::string>> not_loaded(const std::vector<std::string>& files) const;

  // Makes the server load the files. Over the socket, the content on disk is sent to the server's
  // memory; if that cannot even begin, the server is reloaded. `resumed`: a crash may have left
  // such a change half done.
  Done tell(bool resumed);
  // One of several commands failed: those before it may have changed what the server loads.
  bool is_partly_told() const { return partly_told_; }
  // If `why` is not empty, `tell` no longer falls back to a reload.
  void must_not_reload(std::string why) { no_reload_ = std::move(why); }
  // `act` is called each time before the server is signalled.
  void before_reload(std::function<void()> act) { before_reload_ = std::move(act); }
  // Waits until the main process handles the signal, notes which processes take connections, and
  // sends the signal. Code::timed_out: the main process does not handle it, and was not signalled.
  Done reload();
  // True if some of the noted processes still take connections. False if the service cannot tell
  // them apart.
  bool old_workers_remain() const;
  std::optional<SignalReload> target() const;

 private:
  // What the server's processes listen on. Only a reload changes that, and a reload changes the
  // children.
  struct Listeners {
    std::vector<Process> children;
    Result<std::set<uint16_t>> ports = std::set<uint16_t>();  // an error: unknown
    std::optional<std::vector<uint64_t>> of_master = {};      // sockets; unset: not read yet
  };
  const Listeners& listeners(const SignalReload& master);
  std::vector<Process> workers();
  Done must_be_trusted() const;
  Done choose_restart(const Reload& how, const std::vector<std::string>& read);
  Done restart();
  Done find_restarted();
  Done await_handler(const SignalReload& master) const;
  Done await_whole_pairs();
  Done run_commands(const Reload& how);
  Done say(const SocketReload& how, const SignalReload& master);
  Done ask() const;
  Done send(SocketConversation& dialogue);
  bool takes_connections(const Process& worker) const;

  const Service* service_;
  const Host& host_;
  ReloadPreview preview_;
  std::unique_ptr<LiveUpdate> live_;
  bool silent_ = false;  // the control socket did not answer in time
  bool partly_told_ = false;
  std::string no_restart_ = "nobody allowed it";
  std::string unit_;
  std::optional<SignalReload> restarted_;  // the main process since the restart
  std::string no_reload_;
  std::function<void()> before_reload_;
  std::optional<Listeners> listeners_;
  std::vector<Process> old_workers_;
};

}  // namespace certrebind
