// The daemon: watches certificates, keeps the lifecycle log, runs tasks and timers. It neither
// parses a server's configuration nor changes a service: the tasks that it starts do so.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "daemon/config_in_force.h"
#include "daemon/noticer.h"
#include "daemon/task_directory.h"
#include "daemon/task_queue.h"
#include "state/settings.h"
#include "sys/host.h"
#include "sys/lock.h"
#include "sys/waiter.h"

namespace certrebind {

class Daemon {
 public:
  // `program`: our own executable, which runs tasks and surveys services. `user`: the user who runs
  // it.
  Daemon(const Host& host, const Settings& settings, std::string program, uint32_t user);

  // Runs until SIGTERM. Code::busy if another daemon runs with this state directory.
  Done run();

 private:
  Done open();
  Done open_database();
  Done begin();
  Done queue_what_looks(WallTime now);
  void note_configuration(const Hop& hop);
  Done queue_what_failed(WallTime now);
  Done look_at_settings();
  Done turn(bool& stopping);
  Done after_failure(const Error& error, bool& stopping);
  Done look_after_failure();
  Done begin_anew();
  bool database_was_replaced() const;
  Done after_changes(const Changes& changes);
  Done look();
  Done look_again();
  Done watch_anew();
  Result<bool> watch();
  Result<bool> is_watched_where_it_lies(const Watched& watched);
  void rest();
  Done do_what_is_due();
  Done note_jump();
  Done run_tasks();
  Done look_at_windows(WallTime now);
  Done start(const TaskRun& run);
  Result<int> spawn(const std::vector<std::string>& command) const;
  void look_at_services();
  void ended(const EndedChild& child);
  void gather();
  Done note(EventId id, std::string message);
  Done note_unwatched(const Watching& watching);
  void tell_events();
  std::optional<milliseconds> patience();

  Host host_;
  const Settings& settings_;
  std::string program_;
  uint32_t user_;
  std::unique_ptr<Lock> lock_;
  std::optional<Database> database_;
  FileInfo database_file_;
  std::optional<Noticer> noticer_;
  std::optional<TaskQueue> queue_;
  std::optional<DirectoryWatcher> watcher_;
  std::optional<Waiter> waiter_;
  LoadedTasks tasks_;
  std::set<Watched> watched_;
  std::map<int, int64_t> runs_;  // the task run of each pid
  int looker_ = 0;               // pid of the command that surveys services
  int64_t told_ = 0;             // the last event reported to the supervisor
  std::optional<ConfigInForce> config_;
  bool settings_changed_ = false;     // certrebind.toml
  bool services_changed_ = false;     // whether their configuration changed since the last survey
  WallTime configuration_changed_{};  // the latest change of a configuration that was seen
  bool restless_ = false;             // whether there was work since memory was last released
  bool polling_ = false;              // some directories cannot be watched
  std::optional<SteadyTime> gathering_since_;
  SteadyTime last_change_;
  SteadyTime next_poll_;
  std::optional<WallTime> next_opening_;  // of a policy's window
  std::optional<std::string> failing_;    // the last failure; unset: no failure
  milliseconds pause_{0};                 // the pause before a failed step is retried
  std::optional<milliseconds> apart_;     // the difference between wall clock and steady clock
};

}  // namespace certrebind
