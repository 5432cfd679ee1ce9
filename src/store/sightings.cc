#include "store/sightings.h"

#include <algorithm>
#include <utility>

namespace certrebind {

Done remember(Database& database, const std::vector<Sighting>& seen, WallTime now) {
  return database.atomically("remember sightings", [&] {
    SQLite::Statement insert(database.handle(),
                             "INSERT OR IGNORE INTO sightings (path, thumbprint, der, first_ms) "
                             "VALUES (?, ?, ?, ?)");
    for (const Sighting& sighting : seen) {
      insert.bind(1, sighting.path);
      insert.bind(2, sighting.thumbprint.hex());
      insert.bind(3, sighting.der.data(), static_cast<int>(sighting.der.size()));
      insert.bind(4, static_cast<int64_t>(now.time_since_epoch().count()));
      insert.exec();
      insert.reset();
    }
  });
}

// In the order of first sighting. Sorted here, not by SQLite, which would hold all rows twice.
Result<std::vector<Sighting>> remembered(Database& database) {
  return database.guarded("read sightings", [&] {
    std::vector<std::pair<int64_t, Sighting>> dated;
    SQLite::Statement select(database.handle(),
                             "SELECT path, thumbprint, der, first_ms FROM sightings");
    while (select.executeStep()) {
      auto thumbprint = Thumbprint::from_hex(select.getColumn(1).getString());
      if (thumbprint)
        dated.emplace_back(select.getColumn(3).getInt64(),
                           Sighting{.path = select.getColumn(0).getString(),
                                    .thumbprint = *thumbprint,
                                    .der = select.getColumn(2).getString()});
    }
    std::ranges::stable_sort(dated, {}, &std::pair<int64_t, Sighting>::first);
    std::vector<Sighting> sightings;
    sightings.reserve(dated.size());
    for (auto& [first_ms, sighting] : dated) sightings.push_back(std::move(sighting));
    return sightings;
  });
}

}  // namespace certrebind
