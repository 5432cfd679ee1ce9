// The lifecycle log: observations and actions, one row per event. Ids below 2000 are those of
// Windows' certificate lifecycle notifications; ours begin at 2001. docs/events.md documents each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace certrebind {

enum class EventId {
  replaced = 1001,  // a certificate succeeds another
  expired = 1002,
  about_to_expire = 1003,
  deleted = 1004,          // the certificate is gone from every path where it was seen
  archived = 1005,         // succeeded, and no longer used by anything
  installed = 1006,        // a certificate was copied to a store or to a path that a site reads
  exported = 1007,         // a certificate was copied out of its store by certrebind export
  key_matched = 1008,      // its key is beside it
  key_not_matched = 1009,  // … or is still missing after a waiting time
  started = 2001,          // a transaction begins
  committed = 2002,        // … and every handshake showed the new certificate
  rolled_back = 2003,      // … or the previous state is restored, and proven
  refused = 2004,          // preflight found a reason; no server was touched
  needs_operator = 2005,   // neither new nor old could be proven
  finished_after_crash =
      2006,  // an interrupted transaction was found to be served, and was committed
  restored_after_crash = 2007,  // an interrupted transaction was undone
  proof_owed = 2008,            // committed while the server was stopped
  proof_paid = 2009,            // … and since seen to be served
  daemon_started = 2010,
  daemon_stopped = 2011,
  needs_attention = 2012,  // a problem that only a person can solve
  attention_over = 2013,   // … and it is solved
  task_done = 2014,
  task_failed = 2015,          // failed after its last attempt
  watching_by_polling = 2016,  // the kernel reports no changes for these directories
  database_rebuilt = 2017,     // it was damaged (state/rebuild.cc logs this one)
  clock_jumped = 2018,         // the wall clock was set, or the machine slept
};
std::string to_text(EventId id);  // "replaced", "rolled back", …
// All of them, by id.
const std::vector<EventId>& all_event_ids();
// What a person calls an event: "1001", "replaced", "rolled back" or "rolled-back". Unset: none.
std::optional<EventId> event_named(std::string_view typed);

// Windows' levels, from the least to the worst.
enum class EventLevel { information, warning, error };
EventLevel level_of(EventId id);
std::string to_text(EventLevel level);  // "information", "warning", "error"
// Unset for any other word.
std::optional<EventLevel> event_level_named(const std::string& name);

struct Event {
  int64_t record = 0;  // set by the log
  EventId id = EventId::started;
  WallTime at = {};
  std::optional<int64_t> transaction = {};
  std::string service = {};         // kind:path
  std::string old_thumbprint = {};  // SHA-256 hex, empty where there is none
  std::string new_thumbprint = {};
  std::vector<std::string> names = {};
  std::string message = {};  // one sentence for people
  std::string details = {};  // JSON, or empty: docs/events.md says what each event carries
};

// Returns the event's record number. Appends within the open database transaction. Throws what
// SQLiteCpp throws, so use it inside Database::atomically.
int64_t append_event(Database& database, const Event& event);

// One event by its record; Code::not_found if there is none.
Result<Event> find_event(Database& database, int64_t record);

// The details of the last event 1001 that says NEW succeeds OLD; empty if there is none. Throws
// what SQLiteCpp throws.
std::string succession_details(Database& database, const std::string& old_thumbprint,
                               const std::string& new_thumbprint);

// Events after `after_record`, oldest first.
Result<std::vector<Event>> events_after(Database& database, int64_t after_record);

}  // namespace certrebind
