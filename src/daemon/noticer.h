// Examines watched certificates and writes their changes to the lifecycle log.
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

  // Examines one certificate. If a pair does not match yet, or a file is gone, it is examined again
  // until its waiting time is over (`give_up_waiting`). Nothing is logged until then. True if the
  // certificate at the path changed permanently.
  Result<bool> look(const Watched& watched);

  // Like `look`, for all certificates. Also removes paths that are no longer watched. The very
  // first run records the existing certificates without an event.
  Result<bool> look_at_all(const std::set<Watched>& certificates);
  // Call once all existing certificates were examined. Certificates found later are new, whatever
  // their age.
  Done first_look_is_over();

  // Logs the certificates whose waiting time is over. True if something was logged.
  Result<bool> give_up_waiting();
  // Logs certificates that have expired or are about to, once for each threshold. True if something
  // was logged.
  Result<bool> note_expiry();

  // The time of the next expiry threshold; unset: never. Valid after `note_expiry`.
  std::optional<WallTime> next_expiry() const { return next_expiry_; }
  std::optional<SteadyTime> next_deadline() const;

  // Removes old events from the log.
  Done prune_log();

 private:
  struct Seen;
  Seen see(const Watched& watched) const;
  bool lay_there_before(const std::string& old_thumbprint, const Seen& now) const;
  Done record(const std::string& old_thumbprint, const Seen& now);
  Result<std::string> known_at(const std::string& path);
  Done settle_encrypted(const Watched& watched, const Seen& now);
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
  // no certificate reaches a threshold before this time; the epoch: not computed yet
  std::optional<WallTime> next_expiry_ = WallTime();
  std::map<Watched, SteadyTime> waiting_;
  std::map<std::string, std::string>
      given_up_;        // path: the thumbprint of the certificate whose key never appeared
  bool quiet_ = false;  // the very first run, which logs no events
};

}  // namespace certrebind
