// A damaged database: kept aside, and a new one begun with every row that can still be read.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

struct Rebuilt {
  std::string kept;  // where the damaged one lies now
  size_t rows = 0;   // that could be read
};

// Takes the path of the database. Whoever calls it holds the lock. The new database says so itself:
// event 2017, and something that needs a person until `certrebind recover` is run.
Result<Rebuilt> rebuild_database(Files& files, const std::string& path);

}  // namespace certrebind
