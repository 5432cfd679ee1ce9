#include "store/places.h"

namespace certrebind {

namespace {

constexpr const char* kColumns =
    "SELECT path, key, thumbprint, not_before_ms, not_after_ms FROM places";

int64_t milliseconds_of(WallTime time) {
  return time.time_since_epoch().count();
}

Place place_of(SQLite::Statement& row) {
  return {.path = row.getColumn(0).getString(),
          .key = row.getColumn(1).getString(),
          .thumbprint = row.getColumn(2).getString(),
          .not_before = WallTime(milliseconds(row.getColumn(3).getInt64())),
          .not_after = WallTime(milliseconds(row.getColumn(4).getInt64()))};
}

}  // namespace

std::optional<Place> place_at(Database& database, const std::string& path) {
  SQLite::Statement select(database.handle(), std::string(kColumns) + " WHERE path = ?");
  select.bind(1, path);
  if (!select.executeStep()) return std::nullopt;
  return place_of(select);
}

std::vector<Place> all_places(Database& database) {
  std::vector<Place> places;
  SQLite::Statement select(database.handle(), kColumns);
  while (select.executeStep()) places.push_back(place_of(select));
  return places;
}

void put_place(Database& database, const Place& place, WallTime now) {
  SQLite::Statement insert(database.handle(),
                           "INSERT OR REPLACE INTO places (path, key, thumbprint, not_before_ms, "
                           "not_after_ms, since_ms) VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, place.path);
  insert.bind(2, place.key);
  insert.bind(3, place.thumbprint);
  insert.bind(4, milliseconds_of(place.not_before));
  insert.bind(5, milliseconds_of(place.not_after));
  insert.bind(6, milliseconds_of(now));
  insert.exec();
}

void drop_place(Database& database, const std::string& path) {
  SQLite::Statement erase(database.handle(), "DELETE FROM places WHERE path = ?");
  erase.bind(1, path);
  erase.exec();
}

bool lies_somewhere(Database& database, const std::string& thumbprint) {
  SQLite::Statement select(database.handle(), "SELECT 1 FROM places WHERE thumbprint = ? LIMIT 1");
  select.bind(1, thumbprint);
  return select.executeStep();
}

void put_hops(Database& database, const std::set<Hop>& hops) {
  database.handle().exec("DELETE FROM hops");
  SQLite::Statement insert(database.handle(), "INSERT INTO hops VALUES (?, ?, ?, ?)");
  for (const Hop& hop : hops) {
    insert.bind(1, hop.directory);
    insert.bind(2, hop.name);
    insert.bind(3, hop.kind);
    insert.bind(4, hop.path);
    insert.exec();
    insert.reset();
  }
}

std::vector<Hop> hops_at(Database& database, const std::string& directory,
                         const std::string& name) {
  std::vector<Hop> hops;
  // A directory that itself came or went concerns all that is in it.
  SQLite::Statement select(database.handle(),
                           name.empty()
                               ? "SELECT directory, name, kind, path FROM hops WHERE directory = ?"
                               : "SELECT directory, name, kind, path FROM hops WHERE directory = ? "
                                 "AND (name = ? OR name = '')");
  select.bind(1, directory);
  if (!name.empty()) select.bind(2, name);
  while (select.executeStep())
    hops.push_back({.directory = select.getColumn(0).getString(),
                    .name = select.getColumn(1).getString(),
                    .kind = select.getColumn(2).getString(),
                    .path = select.getColumn(3).getString()});
  return hops;
}

}  // namespace certrebind
