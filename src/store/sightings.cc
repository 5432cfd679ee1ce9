#include "store/sightings.h"

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

Result<std::vector<Sighting>> remembered(Database& database) {
  return database.guarded("read sightings", [&] {
    std::vector<Sighting> sightings;
    SQLite::Statement select(database.handle(), "SELECT path, thumbprint, der FROM sightings");
    while (select.executeStep()) {
      auto thumbprint = Thumbprint::from_hex(select.getColumn(1).getString());
      if (thumbprint)
        sightings.push_back({.path = select.getColumn(0).getString(),
                             .thumbprint = *thumbprint,
                             .der = select.getColumn(2).getString()});
    }
    return sightings;
  });
}

}  // namespace certrebind
