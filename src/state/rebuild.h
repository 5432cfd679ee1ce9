// Rebuilds a damaged database: keeps the damaged file aside, and creates a new database with every
// row that is still readable.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

struct Rebuilt {
  std::string kept;  // path of the damaged file
  size_t rows = 0;   // number of rows recovered
};

// Takes the path of the database. The caller must hold the lock. The new database records the
// rebuild: event 2017, and an entry that needs attention until `certrebind recover` is run.
Result<Rebuilt> rebuild_database(Files& files, const std::string& path);

}  // namespace certrebind
