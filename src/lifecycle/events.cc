#include "lifecycle/events.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr const char* kColumns =
    "SELECT record, id, at_ms, transaction_id, service, old, new, names, message, details FROM "
    "events";

constexpr const char* kUnknown = "unknown";

// The event in the current row of a SELECT of kColumns.
Event event_at(SQLite::Statement& select) {
  Event event{.record = select.getColumn(0).getInt64(),
              .id = static_cast<EventId>(select.getColumn(1).getInt()),
              .at = WallTime(milliseconds(select.getColumn(2).getInt64())),
              .transaction = {},
              .service = select.getColumn(4).getString(),
              .old_thumbprint = select.getColumn(5).getString(),
              .new_thumbprint = select.getColumn(6).getString(),
              .names = {},
              .message = select.getColumn(8).getString(),
              .details = select.getColumn(9).getString()};
  if (!select.getColumn(3).isNull()) event.transaction = select.getColumn(3).getInt64();
  std::string names = select.getColumn(7).getString();
  if (!names.empty()) event.names = split(names, ' ');
  return event;
}

}  // namespace

std::string to_text(EventId id) {
  switch (id) {
    case EventId::replaced:
      return "replaced";
    case EventId::expired:
      return "expired";
    case EventId::about_to_expire:
      return "about to expire";
    case EventId::deleted:
      return "deleted";
    case EventId::archived:
      return "archived";
    case EventId::installed:
      return "installed";
    case EventId::exported:
      return "exported";
    case EventId::key_matched:
      return "key matched";
    case EventId::key_not_matched:
      return "key not matched";
    case EventId::started:
      return "started";
    case EventId::committed:
      return "committed";
    case EventId::rolled_back:
      return "rolled back";
    case EventId::refused:
      return "refused";
    case EventId::needs_operator:
      return "needs operator";
    case EventId::finished_after_crash:
      return "finished after a crash";
    case EventId::restored_after_crash:
      return "restored after a crash";
    case EventId::proof_owed:
      return "proof owed";
    case EventId::proof_paid:
      return "proof paid";
    case EventId::daemon_started:
      return "daemon started";
    case EventId::daemon_stopped:
      return "daemon stopped";
    case EventId::needs_attention:
      return "needs attention";
    case EventId::attention_over:
      return "attention over";
    case EventId::task_done:
      return "task done";
    case EventId::task_failed:
      return "task failed";
    case EventId::watching_by_polling:
      return "watching by polling";
    case EventId::database_rebuilt:
      return "database rebuilt";
    case EventId::clock_jumped:
      return "clock jumped";
  }
  return kUnknown;
}

const std::vector<EventId>& all_event_ids() {
  static const std::vector<EventId> kAll = [] {
    std::vector<EventId> all;
    for (int number = 1001; number < 2100; ++number)
      if (auto id = static_cast<EventId>(number); to_text(id) != kUnknown) all.push_back(id);
    return all;
  }();
  return kAll;
}

std::optional<EventId> event_named(std::string_view typed) {
  std::string name(typed);
  std::ranges::replace(name, '-', ' ');
  for (EventId id : all_event_ids())
    if (to_text(id) == name || std::to_string(static_cast<int>(id)) == name) return id;
  return std::nullopt;
}

EventLevel level_of(EventId id) {
  switch (id) {
    case EventId::expired:
    case EventId::needs_operator:
    case EventId::rolled_back:
    case EventId::task_failed:
    case EventId::database_rebuilt:
      return EventLevel::error;
    case EventId::about_to_expire:
    case EventId::key_not_matched:
    case EventId::refused:
    case EventId::needs_attention:
    case EventId::watching_by_polling:
    case EventId::clock_jumped:
      return EventLevel::warning;
    default:
      return EventLevel::information;
  }
}

std::string to_text(EventLevel level) {
  switch (level) {
    case EventLevel::information:
      return "information";
    case EventLevel::warning:
      return "warning";
    case EventLevel::error:
      return "error";
  }
  return "";
}

std::optional<EventLevel> event_level_named(const std::string& name) {
  for (EventLevel level : {EventLevel::information, EventLevel::warning, EventLevel::error})
    if (to_text(level) == name) return level;
  return std::nullopt;
}

int64_t append_event(Database& database, const Event& event) {
  SQLite::Statement insert(database.handle(),
                           "INSERT INTO events (id, at_ms, transaction_id, service, old, new, "
                           "names, message, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, static_cast<int>(event.id));
  insert.bind(2, static_cast<int64_t>(event.at.time_since_epoch().count()));
  if (event.transaction) insert.bind(3, *event.transaction);
  insert.bind(4, event.service);
  insert.bind(5, event.old_thumbprint);
  insert.bind(6, event.new_thumbprint);
  insert.bind(7, join(event.names, " "));
  insert.bind(8, event.message);
  insert.bind(9, event.details);
  insert.exec();
  return database.handle().getLastInsertRowid();
}

Result<Event> find_event(Database& database, int64_t record) {
  auto found = database.guarded("read the event", [&] {
    SQLite::Statement select(database.handle(), std::string(kColumns) + " WHERE record = ?");
    select.bind(1, record);
    return select.executeStep() ? std::optional(event_at(select)) : std::nullopt;
  });
  if (!found) return pass(found);
  if (!*found)
    return fail(Code::not_found, "find the event", std::to_string(record), "there is none",
                "certrebind events lists them: the record is the first column");
  return std::move(**found);
}

std::string succession_details(Database& database, const std::string& old_thumbprint,
                               const std::string& new_thumbprint) {
  SQLite::Statement select(database.handle(),
                           "SELECT details FROM events WHERE id = ? AND old = ? AND new = ? "
                           "ORDER BY record DESC LIMIT 1");
  select.bind(1, static_cast<int>(EventId::replaced));
  select.bind(2, old_thumbprint);
  select.bind(3, new_thumbprint);
  return select.executeStep() ? select.getColumn(0).getString() : std::string();
}

Result<std::vector<Event>> events_after(Database& database, int64_t after_record) {
  return database.guarded("read the events", [&] {
    std::vector<Event> events;
    SQLite::Statement select(database.handle(),
                             std::string(kColumns) + " WHERE record > ? ORDER BY record");
    select.bind(1, after_record);
    while (select.executeStep()) events.push_back(event_at(select));
    return events;
  });
}

}  // namespace certrebind
