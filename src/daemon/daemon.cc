// The daemon's main loop. At its start it examines everything, to find changes made while no daemon
// ran. Then each turn has these steps:
//
//   1. Do what is due: log expiry and keys that never appeared. Once changes have stopped for a
//      while, survey the services if their configuration changed, and queue task runs for the new
//      events. Start the runs that are due.
//   2. Send new events to the supervisor's journal.
//   3. Wait for changes in watched directories, signals, the end of a child, or the next due time.
//   4. Examine the certificates that the changed directory entries may affect.
//
// A failed turn does not end the daemon if it can wait: it retries, and then examines everything
// again, because it may have missed changes. Surveys of services and tasks run in child processes,
// so the daemon stays small and parses no server's configuration.
#include "daemon/daemon.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "daemon/task_worker.h"
#include "lifecycle/attention.h"
#include "state/state.h"
#include "sys/changed_at.h"
#include "sys/day_time.h"
#include "sys/memory.h"
#include "sys/safe_way.h"
#include "sys/supervisor.h"

namespace certrebind {

namespace {

constexpr milliseconds kPollEvery =
    std::chrono::minutes(1);  // for directories without change events
// `certrebind status` takes the lock for a moment to see whether another process holds it.
constexpr milliseconds kLockPatience = std::chrono::seconds(1);
constexpr milliseconds kFirstPause = std::chrono::seconds(1);  // after a failure
constexpr milliseconds kNap = std::chrono::seconds(1);         // shorter waits need no preparation
constexpr milliseconds kLongestPause = std::chrono::minutes(1);
constexpr milliseconds kJump =
    std::chrono::minutes(1);  // of the wall clock; smaller ones are not reported
// A wait does not notice a wall clock that is set meanwhile, so it is limited.
constexpr milliseconds kLongestWait = std::chrono::hours(1);
constexpr int kWatchRounds =
    10;  // limit of rounds of listing and watching, while directories come and go
constexpr size_t kSideBySide = 8;  // maximum number of running tasks

// journald's catalogue identifies messages by this id; its last part is the event's id.
std::string message_id(EventId id) {
  return fmt::format("7c1d5b0ae2f84f5c9f3e6d20c5b1{:04x}", static_cast<int>(id));
}

// syslog(3)'s numbers.
int priority_of(EventId id) {
  switch (level_of(id)) {
    case EventLevel::error:
      return 3;
    case EventLevel::warning:
      return 4;
    case EventLevel::information:
      return 6;
  }
  return 6;
}

std::optional<milliseconds> sooner(std::optional<milliseconds> one,
                                   std::optional<milliseconds> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

Daemon::Daemon(const Host& host, const Settings& settings, std::string program, uint32_t user)
    : host_(host), settings_(settings), program_(std::move(program)), user_(user) {}

Done Daemon::run() {
  if (Done opened = open(); !opened) return opened;
  if (Done begun = begin(); !begun) return begun;
  tell_supervisor("READY=1");
  bool stopping = false;
  while (!stopping) {
    Done turned = failing_ ? look_after_failure() : Done();
    if (turned) turned = turn(stopping);
    if (!turned) turned = after_failure(turned.error(), stopping);
    if (!turned) return turned;
  }
  tell_supervisor("STOPPING=1");
  Done noted = note(EventId::daemon_stopped, "the daemon ends");
  tell_events();
  return noted;
}

// On a full disk, a state directory without write permission, or a damaged database: waits, logs
// the failure once, and retries. Fails if waiting is impossible.
Done Daemon::after_failure(const Error& error, bool& stopping) {
  std::string message = error.message();
  if (message != failing_) log_entry(message, {{"PRIORITY", "3"}});
  pause_ = failing_ ? std::min(pause_ * 2, kLongestPause) : kFirstPause;
  failing_ = std::move(message);
  if (error.code == Code::damaged) {
    auto mended = State::mend(host_.files, settings_, kFirstPause);
    if (mended) database_.reset();
  }
  auto wake = waiter_->wait(pause_);
  if (!wake) return pass(wake);
  stopping = stopping || wake->stop;
  if (wake->changes) watcher_->take();
  for (const EndedChild& child : wake->ended) ended(child);
  return {};
}

// Examines everything, to find what happened during the failure.
Done Daemon::look_after_failure() {
  if (Done begun = begin_anew(); !begun) return begun;
  log_entry("what failed works again", {{"PRIORITY", "5"}});
  failing_.reset();
  return {};
}

Done Daemon::begin_anew() {
  if (!database_) {
    if (Done opened = open_database(); !opened) return opened;
    watched_.clear();
    auto rebuilt = database_->guarded("read the log", [&] {
      return database_->handle()
          .execAndGet("SELECT coalesce(max(record), 1) - 1 FROM events WHERE id = 2017")
          .getInt64();
    });
    if (!rebuilt) return pass(rebuilt);
    told_ = *rebuilt;
  }
  WallTime now = host_.clock.wall();
  if (Done kept = queue_->interrupted(tasks_.tasks, host_.processes, now); !kept) return kept;
  services_changed_ = true;
  gather();
  if (Done looked = look_again(); !looked) return looked;
  return queue_what_looks(now);
}

// Another certrebind process may have found the database damaged, and created a new one.
bool Daemon::database_was_replaced() const {
  auto now = host_.files.stat(settings_.state_directory + "/state.db");
  return now && !now->same_file(database_file_);
}

Done Daemon::open_database() {
  auto database = State::open_beside(host_.files, settings_);
  if (!database) return pass(database);
  database_.emplace(std::move(*database));
  noticer_.emplace(host_.files, *database_, settings_, host_.clock);
  queue_.emplace(*database_);
  auto file = host_.files.stat(settings_.state_directory + "/state.db");
  if (!file) return pass(file);
  database_file_ = *file;
  return {};
}

Done Daemon::open() {
  if (Done opened = open_database(); !opened) return opened;
  auto lock = take_lock(settings_.run_directory + "/daemon.lock", kLockPatience);
  if (!lock && lock.error().code == Code::busy)
    return fail(Code::busy, "start the daemon", settings_.state_directory,
                "it runs already: " + lock.error().cause, "certrebind status tells how it does");
  if (!lock) return pass(lock);
  lock_ = std::move(*lock);
  watcher_.emplace(DirectoryWatcher::create());
  auto waiter = Waiter::create(*watcher_);
  if (!waiter) return pass(waiter);
  waiter_.emplace(std::move(*waiter));
  return {};
}

// Examines everything, to find what happened while no daemon ran.
Done Daemon::begin() {
  auto last = database_->guarded("read the log", [&] {
    return database_->handle().execAndGet("SELECT coalesce(max(record), 0) FROM events").getInt64();
  });
  if (!last) return pass(last);
  told_ = *last;
  tasks_ = load_tasks(host_.files, settings_.tasks_directory(), user_);
  // On the first start this sets the mark from which events trigger tasks, so that the events of
  // the first look do.
  Done queued = queue_->enqueue_for_new_events(tasks_.tasks, host_.clock.wall());
  if (!queued) return queued;
  if (Done noted = note(EventId::daemon_started, "the daemon watches"); !noted) return noted;
  if (Done looked = look_at_settings(); !looked) return looked;
  if (Done kept = queue_->interrupted(tasks_.tasks, host_.processes, host_.clock.wall()); !kept)
    return kept;
  if (Done looked = look_again(); !looked) return looked;
  services_changed_ = true;
  gather();
  return {};
}

// Queues tasks that compare and correct. After a time without watching they must run even without
// an event.
Done Daemon::queue_what_looks(WallTime now) {
  for (const Task& task : tasks_.tasks) {
    if (!task.enabled || !task.once_per_batch || !task.every) continue;
    if (auto queued = queue_->enqueue(task, std::nullopt, now); !queued) return pass(queued);
  }
  return {};
}

void Daemon::note_configuration(const Hop& hop) {
  services_changed_ = true;
  // What others may write at any time must not set off one attempt after the other.
  if (!SafeWay(host_.files).to_content(hop.directory + "/" + hop.name)) return;
  auto changed = changed_at(host_.files, hop.directory + "/" + hop.name);
  if (!changed) changed = changed_at(host_.files, hop.directory);  // it was removed
  if (changed) configuration_changed_ = std::max(configuration_changed_, *changed);
}

// While certrebind.toml has a mistake, what it said before is in force, and a person is told.
Done Daemon::look_at_settings() {
  if (!config_) config_.emplace(host_.files, settings_.config_file);
  constexpr const char* kSubject = "configuration";
  std::vector<Attention> needed;
  const WallTime now = host_.clock.wall();
  if (Done good = config_->look(); !good) {
    const bool has_copy = config_->path() != settings_.config_file;
    const std::string hint = good.error().hint.empty() ? "mend it" : good.error().hint;
    needed.push_back(
        {.subject = kSubject,
         .sentence = good.error().message() +
                     (has_copy ? "; what it said before is in force"
                               : "; nothing is rebound automatically until it is mended"),
         .next = hint,
         .since = now});
    log_entry(needed.front().sentence, {{"PRIORITY", "3"}});
  }
  if (const Done& kept = config_->kept(); !kept)
    log_entry("no copy of the configuration is kept: " + kept.error().message(),
              {{"PRIORITY", "4"}});
  return set_attention(*database_, kSubject, needed, now);
}

// A configuration was changed after a task had failed, perhaps because of it: no need to wait for
// the next attempt. A task's own edits, and their restoration, are from before its end.
Done Daemon::queue_what_failed(WallTime now) {
  for (const Task& task : tasks_.tasks) {
    if (!task.enabled || !task.once_per_batch || !task.every) continue;
    auto failed = queue_->failed_last(task);
    if (!failed) return pass(failed);
    if (!*failed || configuration_changed_ <= **failed) continue;
    if (auto queued = queue_->enqueue(task, std::nullopt, now); !queued) return pass(queued);
  }
  return {};
}

Done Daemon::turn(bool& stopping) {
  if (database_was_replaced()) {
    database_.reset();
    if (Done begun = begin_anew(); !begun) return begun;
  }
  if (Done done = do_what_is_due(); !done) return done;
  tell_events();
  auto patience = this->patience();
  if (restless_ && (!patience || *patience > kNap)) rest();
  auto wake = waiter_->wait(patience);
  if (!wake) return pass(wake);
  stopping = wake->stop;
  for (const EndedChild& child : wake->ended) ended(child);
  if (wake->rescan) {
    services_changed_ = true;
    gather();
    return look_again();
  }
  return wake->changes ? after_changes(watcher_->take()) : Done();
}

Done Daemon::after_changes(const Changes& changes) {
  if (changes.overflowed) return look_again();
  std::set<Hop> hops;
  bool shape = false;  // the set of watched paths may have changed
  Done found = database_->guarded("look up what changed", [&] {
    for (const Change& change : changes.seen) {
      std::vector<Hop> here = hops_at(*database_, change.directory, change.name);
      // A name that is already watched is not new in its store.
      bool known = std::ranges::find(here, HopKind::certificate, &Hop::kind) != here.end();
      bool stored = std::ranges::find(here, HopKind::store, &Hop::kind) != here.end();
      shape = shape || change.name.empty() || (stored && !known);
      hops.insert(here.begin(), here.end());
    }
  });
  if (!found) return found;
  std::set<std::string> paths;
  for (const Hop& hop : hops) {
    if (hop.kind == HopKind::certificate) paths.insert(hop.path);
    if (hop.kind == HopKind::configuration) note_configuration(hop);
    if (hop.kind == HopKind::wake) gather();
    if (hop.kind == HopKind::settings) settings_changed_ = true;
  }
  if (services_changed_ || settings_changed_) gather();
  bool moved = false;
  for (const Watched& watched : watched_) {
    if (!paths.contains(watched.certificate)) continue;
    auto changed = noticer_->look(watched);
    if (!changed) return pass(changed);
    if (*changed) gather();
    auto in_place = is_watched_where_it_lies(watched);
    if (!in_place) return pass(in_place);
    moved = moved || !*in_place;
  }
  if (shape) return look_again();
  return moved ? watch_anew() : Done();
}

// False if a link now leads elsewhere, or something vanished.
Result<bool> Daemon::is_watched_where_it_lies(const Watched& watched) {
  return database_->guarded("look up what is watched", [&] {
    for (const std::string& path : {watched.certificate, watched.key})
      for (const auto& [directory, name] : entries_of(host_.files, path)) {
        std::vector<Hop> hops = hops_at(*database_, directory, name);
        Hop own{directory, name, HopKind::certificate, watched.certificate};
        if (std::ranges::find(hops, own) == hops.end()) return false;
      }
    return true;
  });
}

Done Daemon::look() {
  auto changed = noticer_->look_at_all(watched_);
  if (!changed) return pass(changed);
  if (*changed) gather();
  return {};
}

Done Daemon::look_again() {
  if (auto watching = watch(); !watching) return pass(watching);
  return look();
}

Done Daemon::watch_anew() {
  auto before = watched_;
  auto is_new = watch();
  if (!is_new) return pass(is_new);
  bool more = !std::ranges::includes(before, watched_);
  if (!*is_new && !more) return {};
  if (Done looked = look(); !looked || !more) return looked;
  // Changes before the watch started cause no events, so everything is examined.
  return queue_what_looks(host_.clock.wall());
}

// Repeats until the watched paths match the existing ones, because directories may come and go
// between listing and watching. True if a path was not watched before. The caller must then examine
// it, to find earlier changes.
Result<bool> Daemon::watch() {
  bool is_new = false;
  WatchedFiles list;
  Watching watching;
  for (int round = 0; round == 0 || (watching.is_new && round < kWatchRounds); ++round) {
    auto listed = find_watched_files(host_.files, settings_, *database_);
    if (!listed) return pass(listed);
    list = std::move(*listed);
    std::set<std::string> directories;
    for (const Hop& hop : list.hops) directories.insert(hop.directory);
    watching = watcher_->watch_exactly(directories);
    is_new = is_new || watching.is_new;
  }
  if (Done noted = note_unwatched(watching); !noted) return pass(noted);
  watched_ = std::move(list.certificates);
  Done kept =
      database_->atomically("keep what is watched", [&] { put_hops(*database_, list.hops); });
  if (!kept) return pass(kept);
  restless_ = true;
  return is_new;
}

// Releases memory before a long wait, because little of the data read is needed again.
void Daemon::rest() {
  restless_ = false;
  database_->give_back_memory();
  give_back_memory();
}

Done Daemon::note_unwatched(const Watching& watching) {
  bool before = polling_;
  polling_ = !watching.eventless.empty() || !watching.errors.empty();
  if (!polling_ || before) return {};
  next_poll_ = host_.clock.steady() + kPollEvery;
  std::string why =
      watching.errors.empty()
          ? *watching.eventless.begin() + " lies on a file system that tells of no changes"
          : watching.errors.front().message() + "; " + watching.errors.front().hint;
  return note(EventId::watching_by_polling, why + ": looked at every minute instead");
}

void Daemon::gather() {
  last_change_ = host_.clock.steady();
  if (!gathering_since_) gathering_since_ = last_change_;
}

// The two clocks advance equally, unless one is set or the machine sleeps.
Done Daemon::note_jump() {
  WallTime wall = host_.clock.wall();
  auto apart = wall.time_since_epoch() -
               std::chrono::floor<milliseconds>(host_.clock.steady().time_since_epoch());
  auto before = std::exchange(apart_, apart);
  if (!before || std::chrono::abs(apart - *before) < kJump) return {};
  gather();
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(apart - *before).count();
  return note(EventId::clock_jumped,
              fmt::format("the clock went {} by {} seconds: it was set, or the machine slept",
                          seconds < 0 ? "back" : "ahead", std::abs(seconds)));
}

Done Daemon::do_what_is_due() {
  if (Done noted = note_jump(); !noted) return noted;
  SteadyTime now = host_.clock.steady();
  auto gave_up = noticer_->give_up_waiting();
  if (!gave_up) return pass(gave_up);
  auto expired = noticer_->note_expiry();
  if (!expired) return pass(expired);
  if (*gave_up || *expired) gather();
  if (polling_ && now >= next_poll_) {
    next_poll_ = now + kPollEvery;
    if (Done looked = look_again(); !looked) return looked;
  }
  bool quiet = gathering_since_ && (now - last_change_ >= settings_.quiet ||
                                    now - *gathering_since_ >= settings_.gather);
  if (quiet && std::exchange(settings_changed_, false)) {
    if (Done looked = look_at_settings(); !looked) return looked;
    if (Done queued = queue_what_looks(host_.clock.wall()); !queued) return queued;
  }
  if (quiet && services_changed_ && looker_ == 0) {
    look_at_services();
    if (Done queued = queue_what_failed(host_.clock.wall()); !queued) return queued;
  }
  if (quiet) {
    gathering_since_.reset();
    tasks_ = load_tasks(host_.files, settings_.tasks_directory(), user_);
    for (const Error& error : tasks_.errors)
      log_entry("a task was left out: " + error.message(), {{"PRIORITY", "4"}});
    WallTime wall = host_.clock.wall();
    if (Done queued = queue_->enqueue_for_new_events(tasks_.tasks, wall); !queued) return queued;
    if (Done pruned = queue_->prune(wall, settings_.keep_days); !pruned) return pruned;
    if (Done pruned = noticer_->prune_log(); !pruned) return pruned;
    restless_ = true;
  }
  return run_tasks();
}

// When a policy's window opens, examines everything, to find the work that it held back.
Done Daemon::look_at_windows(WallTime now) {
  bool opened = next_opening_ && *next_opening_ <= now;
  if (next_opening_ && !opened) return {};
  next_opening_.reset();
  for (const Policy& policy : settings_.policies) {
    auto window = parse_window(policy.window);
    if (!window) continue;
    WallTime next = next_opening(*window, now);
    next_opening_ = next_opening_ ? std::min(*next_opening_, next) : next;
  }
  return opened ? queue_what_looks(now) : Done();
}

Done Daemon::run_tasks() {
  WallTime now = host_.clock.wall();
  if (Done looked = look_at_windows(now); !looked) return looked;
  if (Done queued = queue_->enqueue_due_timers(tasks_.tasks, now); !queued) return queued;
  while (runs_.size() < kSideBySide) {
    auto run = queue_->take_next(tasks_.tasks, now);
    if (!run) return pass(run);
    if (!*run) return {};
    if (Done begun = start(**run); !begun) return begun;
  }
  return {};
}

// Starts our own program with the same state directory.
Result<int> Daemon::spawn(const std::vector<std::string>& command) const {
  std::vector<std::string> words = {program_,
                                    "--config",
                                    config_ ? config_->path() : settings_.config_file,
                                    "--state",
                                    settings_.state_directory,
                                    "--run",
                                    settings_.run_directory};
  words.insert(words.end(), command.begin(), command.end());
  return Waiter::spawn(words);
}

Done Daemon::start(const TaskRun& run) {
  std::string own = runner_of(host_.processes, own_pid());
  if (Done begun = queue_->started(run.id, own, host_.clock.wall()); !begun) return begun;
  auto pid = spawn({"task", "run", "--queued", std::to_string(run.id)});
  if (!pid)
    return queue_->finished(tasks_.tasks, run.id, 127, pid.error().message(), host_.clock.wall());
  runs_[*pid] = run.id;
  return {};
}

// A short-lived command surveys the services and stores the bindings in the database.
void Daemon::look_at_services() {
  services_changed_ = false;
  auto pid = spawn({"scan"});
  if (pid) looker_ = *pid;
}

void Daemon::ended(const EndedChild& child) {
  if (!database_) {  // their rows are corrected once there is a database again
    runs_.erase(child.pid);
    if (child.pid == looker_) looker_ = 0;
    return;
  }
  if (child.pid == looker_) {
    looker_ = 0;
    Done watching = watch_anew();
    if (watching && child.status == 0) watching = noticer_->first_look_is_over();
    if (!watching) log_entry(watching.error().message(), {{"PRIORITY", "3"}});
    return;
  }
  auto run = runs_.find(child.pid);
  if (run == runs_.end()) return;
  Done finished = queue_->finished(tasks_.tasks, run->second, child.status, "", host_.clock.wall());
  if (!finished) log_entry(finished.error().message(), {{"PRIORITY", "3"}});
  runs_.erase(run);
  // The task's actions may be events for other tasks.
  gather();
}

Done Daemon::note(EventId id, std::string message) {
  return database_->atomically("log what the daemon does", [&] {
    append_event(*database_, {.id = id, .at = host_.clock.wall(), .message = std::move(message)});
  });
}

// Sends every new event of the log to the supervisor's journal, whichever process logged it.
void Daemon::tell_events() {
  auto events = events_after(*database_, told_);
  if (!events) return;
  for (const Event& event : *events) {
    told_ = event.record;
    int id = static_cast<int>(event.id);
    log_entry(fmt::format("{} {}: {}", id, to_text(event.id), event.message),
              {{"MESSAGE_ID", message_id(event.id)},
               {"PRIORITY", std::to_string(priority_of(event.id))},
               {"CERTREBIND_EVENT", std::to_string(id)},
               {"CERTREBIND_RECORD", std::to_string(event.record)},
               {"CERTREBIND_SERVICE", event.service},
               {"CERTREBIND_OLD", event.old_thumbprint},
               {"CERTREBIND_NEW", event.new_thumbprint},
               {"CERTREBIND_NAMES", join(event.names, " ")}});
  }
}

std::optional<milliseconds> Daemon::patience() {
  SteadyTime now = host_.clock.steady();
  WallTime wall = host_.clock.wall();
  auto until = [&](SteadyTime time) {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(time - now));
  };
  std::optional<milliseconds> least;
  if (gathering_since_)
    least = until(std::min(last_change_ + settings_.quiet, *gathering_since_ + settings_.gather));
  if (auto deadline = noticer_->next_deadline()) least = sooner(least, until(*deadline));
  if (polling_) least = sooner(least, until(next_poll_));
  if (auto expiry = noticer_->next_expiry())
    least = sooner(least, std::clamp(*expiry - wall, milliseconds(0), kLongestWait));
  if (next_opening_)
    least = sooner(least, std::clamp(*next_opening_ - wall, milliseconds(0), kLongestWait));
  auto due = queue_->next_due(tasks_.tasks, wall);
  if (due && *due && runs_.size() < kSideBySide)
    least = sooner(least, std::clamp(**due - wall, milliseconds(0), kLongestWait));
  if (auto interval = watchdog_interval()) {
    tell_supervisor("WATCHDOG=1");
    least = sooner(least, *interval / 2);
  }
  return least;
}

}  // namespace certrebind
