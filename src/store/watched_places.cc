#include "store/watched_places.h"

#include <algorithm>
#include <utility>

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

namespace {

constexpr std::pair<HopKind, const char*> kHopKinds[] = {{HopKind::certificate, "certificate"},
                                                         {HopKind::configuration, "configuration"},
                                                         {HopKind::store, "store"},
                                                         {HopKind::settings, "settings"},
                                                         {HopKind::wake, "wake"}};

const char* to_text(HopKind kind) {
  return std::ranges::find(kHopKinds, kind, &std::pair<HopKind, const char*>::first)->second;
}

HopKind hop_kind_named(const std::string& name) {
  auto found =
      std::ranges::find_if(kHopKinds, [&](const auto& each) { return name == each.second; });
  return found == std::end(kHopKinds) ? HopKind::wake : found->first;
}

void bind_all(SQLite::Statement& statement, const Hop& hop) {
  statement.bind(1, hop.directory);
  statement.bind(2, hop.name);
  statement.bind(3, to_text(hop.kind));
  statement.bind(4, hop.path);
}

Hop hop_in(SQLite::Statement& select) {
  return {.directory = select.getColumn(0).getString(),
          .name = select.getColumn(1).getString(),
          .kind = hop_kind_named(select.getColumn(2).getString()),
          .path = select.getColumn(3).getString()};
}

}  // namespace

void put_hops(Database& database, const std::set<Hop>& hops) {
  // There are tens of thousands of rows, of which few differ. So both sides are read in the same
  // order and merged.
  SQLite::Statement select(database.handle(),
                           "SELECT directory, name, kind, path FROM hops ORDER BY 1, 2, 3, 4");
  std::vector<Hop> gone;
  std::vector<const Hop*> come;
  auto next = hops.begin();
  while (select.executeStep()) {
    Hop known = hop_in(select);
    for (; next != hops.end() && *next < known; ++next) come.push_back(&*next);
    if (next != hops.end() && *next == known) {
      ++next;
    } else {
      gone.push_back(std::move(known));
    }
  }
  for (; next != hops.end(); ++next) come.push_back(&*next);
  SQLite::Statement erase(
      database.handle(),
      "DELETE FROM hops WHERE directory = ? AND name = ? AND kind = ? AND path = ?");
  for (const Hop& hop : gone) {
    bind_all(erase, hop);
    erase.exec();
    erase.reset();
  }
  SQLite::Statement insert(database.handle(), "INSERT INTO hops VALUES (?, ?, ?, ?)");
  for (const Hop* hop : come) {
    bind_all(insert, *hop);
    insert.exec();
    insert.reset();
  }
}

std::vector<Hop> hops_at(Database& database, const std::string& directory,
                         const std::string& name) {
  std::vector<Hop> hops;
  // A directory that was itself created or removed affects everything in it.
  SQLite::Statement select(database.handle(),
                           name.empty()
                               ? "SELECT directory, name, kind, path FROM hops WHERE directory = ?"
                               : "SELECT directory, name, kind, path FROM hops WHERE directory = ? "
                                 "AND (name = ? OR name = '')");
  select.bind(1, directory);
  if (!name.empty()) select.bind(2, name);
  while (select.executeStep()) hops.push_back(hop_in(select));
  return hops;
}

}  // namespace certrebind
