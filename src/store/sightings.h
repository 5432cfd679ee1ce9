// Sightings: which certificate was seen at which path, remembered after it is gone from there.
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
  std::string der;  // of the leaf: a certificate is public
};

// Remembers those that were not known yet.
Done remember(Database& database, const std::vector<Sighting>& seen, WallTime now);

// Every sighting that was ever remembered, in the order in which they were first seen.
Result<std::vector<Sighting>> remembered(Database& database);

}  // namespace certrebind
