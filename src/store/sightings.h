// Sightings: records which certificate was seen at which path, also after it is gone from there.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"
#include "x509/thumbprint.h"

namespace certrebind {

struct Sighting {
  std::string path;
  Thumbprint thumbprint;
  std::string der;  // of the leaf; a certificate is public, so it may be stored
};

// Records the sightings that are new.
Done remember(Database& database, const std::vector<Sighting>& seen, WallTime now);

// All recorded sightings, in the order in which they were first seen.
Result<std::vector<Sighting>> remembered(Database& database);

}  // namespace certrebind
