#include "lifecycle/attention.h"

#include <algorithm>

#include "lifecycle/events.h"

namespace certrebind {

namespace {

std::vector<Attention> select(Database& database) {
  std::vector<Attention> all;
  SQLite::Statement statement(
      database.handle(),
      "SELECT subject, sentence, next, since_ms FROM attention ORDER BY since_ms, subject");
  while (statement.executeStep())
    all.push_back({.subject = statement.getColumn(0).getString(),
                   .sentence = statement.getColumn(1).getString(),
                   .next = statement.getColumn(2).getString(),
                   .since = WallTime(milliseconds(statement.getColumn(3).getInt64()))});
  return all;
}

void log(Database& database, EventId id, const Attention& about, WallTime now) {
  append_event(database, {.id = id, .at = now, .message = about.subject + ": " + about.sentence});
}

void put(Database& database, const Attention& needed, WallTime now) {
  SQLite::Statement insert(database.handle(),
                           "INSERT OR REPLACE INTO attention VALUES (?, ?, ?, ?)");
  insert.bind(1, needed.subject);
  insert.bind(2, static_cast<int64_t>(now.time_since_epoch().count()));
  insert.bind(3, needed.sentence);
  insert.bind(4, needed.next);
  insert.exec();
  log(database, EventId::needs_attention, needed, now);
}

// The problem is unchanged, only the next step differs: no new event.
void change_next(Database& database, const Attention& needed) {
  SQLite::Statement update(database.handle(), "UPDATE attention SET next = ? WHERE subject = ?");
  update.bind(1, needed.next);
  update.bind(2, needed.subject);
  update.exec();
}

void end(Database& database, const Attention& over, WallTime now) {
  SQLite::Statement erase(database.handle(), "DELETE FROM attention WHERE subject = ?");
  erase.bind(1, over.subject);
  erase.exec();
  log(database, EventId::attention_over, over, now);
}

}  // namespace

Done set_attention(Database& database, const std::string& prefix,
                   const std::vector<Attention>& now_needed, WallTime now) {
  return database.atomically("note what needs a person", [&] {
    std::vector<Attention> known = select(database);
    auto find = [](const std::vector<Attention>& in, const std::string& subject) {
      return std::ranges::find(in, subject, &Attention::subject);
    };
    for (const Attention& needed : now_needed) {
      auto same = find(known, needed.subject);
      if (same == known.end() || same->sentence != needed.sentence) {
        put(database, needed, now);
      } else if (same->next != needed.next) {
        change_next(database, needed);
      }
    }
    for (const Attention& old : known)
      if (old.subject.starts_with(prefix) && find(now_needed, old.subject) == now_needed.end())
        end(database, old, now);
  });
}

Result<std::vector<Attention>> attention(Database& database) {
  return database.guarded("read what needs a person", [&] { return select(database); });
}

}  // namespace certrebind
