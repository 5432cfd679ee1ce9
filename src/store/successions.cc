#include "store/successions.h"

#include <algorithm>
#include <utility>

namespace certrebind {

namespace {

constexpr std::pair<How, const char*> kHows[] = {{How::declared, "declared"},
                                                 {How::same_place, "same place"},
                                                 {How::same_identity, "same identity"},
                                                 {How::undone, "undone"}};

How how_named(const std::string& name) {
  auto found = std::ranges::find_if(kHows, [&](const auto& each) { return name == each.second; });
  return found == std::end(kHows) ? How::same_identity : found->first;
}

bool put(Database& database, const char* verb, const KnownSuccession& succession, WallTime now) {
  SQLite::Statement insert(database.handle(),
                           std::string(verb) + " INTO successions VALUES (?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, succession.old_thumbprint);
  insert.bind(2, succession.new_thumbprint);
  insert.bind(3, to_text(succession.how));
  insert.bind(4, succession.renewer);
  insert.bind(5, succession.path);
  insert.bind(6, static_cast<int64_t>(now.time_since_epoch().count()));
  insert.bind(7, to_text(succession.accepted));
  return insert.exec() > 0;
}

}  // namespace

std::string to_text(How how) {
  return std::ranges::find(kHows, how, &std::pair<How, const char*>::first)->second;
}

bool add_succession(Database& database, const KnownSuccession& succession, WallTime now) {
  return put(database, "INSERT OR IGNORE", succession, now);
}

void declare_succession(Database& database, const KnownSuccession& succession, WallTime now) {
  (void)put(database, "INSERT OR REPLACE", succession, now);
}

Result<std::vector<KnownSuccession>> known_successions(Database& database) {
  return database.guarded("read the successions", [&] {
    std::vector<KnownSuccession> all;
    SQLite::Statement select(
        database.handle(),
        "SELECT old, new, how, renewer, path, accepted FROM successions ORDER BY at_ms, new");
    while (select.executeStep())
      all.push_back({.old_thumbprint = select.getColumn(0).getString(),
                     .new_thumbprint = select.getColumn(1).getString(),
                     .how = how_named(select.getColumn(2).getString()),
                     .renewer = select.getColumn(3).getString(),
                     .path = select.getColumn(4).getString(),
                     .accepted = risks_named(select.getColumn(5).getString())});
    return all;
  });
}

}  // namespace certrebind
