// Looks at watched certificates and writes what became of them into the lifecycle log.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "daemon/watched_files.h"
#include "lifecycle/events.h"
#include "state/settings.h"
#include "sys/clock.h"

namespace certrebind {

class Noticer {
 public:
  Noticer(const Files& files, Database& database, const Settings& settings, const Clock& clock)
      : files_(files),
        database_(database),
        settings_(settings),
        clock_(clock),
        began_(clock.wall()) {}

  // Looks at one certificate. A pair that does not match yet, or a file that is gone, is looked at
  // again by `due`; meanwhile nothing is logged. True if what lies there changed for good.
  Result<bool> look(const Watched& watched);

  // The same for all of them, and forgets places that are no longer watched. On the very first run
  // what lay there before it is taken as it is, without an event.
  Result<bool> look_at_all(const std::set<Watched>& certificates);
  // All that is there was looked at: what comes from now on is new, whatever its age.
  Done first_look_is_over();

  // Those whose time of waiting is over: said so. True if something was logged.
  Result<bool> give_up_waiting();
  // Certificates that expired or are about to: once for each threshold. True if something was
  // logged.
  Result<bool> note_expiry();

  // When there is something to do without a change; nothing: never. After `note_expiry`.
  std::optional<WallTime> next_expiry() const { return next_expiry_; }
  std::optional<SteadyTime> next_deadline() const;

  // Keeps the log within its bounds.
  Done prune_log();

 private:
  struct Seen;
  Seen see(const Watched& watched) const;
  bool lay_there_before(const std::string& old_thumbprint, const Seen& now) const;
  Done record(const std::string& old_thumbprint, const Seen& now);
  Done give_up(const Watched& watched);
  void expect_expiry(const Place& place);
  void log_expiry(const Place& place, const std::string& left, bool is_over);
  void log(Event event) const;
  void log_installed(const Seen& now);
  void log_replaced(const std::string& old_thumbprint, const Seen& now);
  static Event replaced_event(const std::string& old_thumbprint, const std::string& old_der,
                              const Seen& now, const std::string& renewer);
  void log_gone(const Watched& watched, const std::string& thumbprint);
  std::string der_of(const std::string& thumbprint) const;

  const Files& files_;
  Database& database_;
  const Settings& settings_;
  const Clock& clock_;
  const WallTime began_;
  // No threshold passes before, in the life of any certificate; the epoch: not known yet.
  std::optional<WallTime> next_expiry_ = WallTime();
  std::map<Watched, SteadyTime> waiting_;
  std::map<std::string, std::string> given_up_;  // path: the thumbprint that never got its key
  bool quiet_ = false;                           // the very first look: the past is no event
};

}  // namespace certrebind
