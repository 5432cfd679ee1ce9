// What the last survey found bound, kept for who may not survey: the daemon parses no server's
// configuration.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "state/database.h"

namespace certrebind {

struct BoundRow {
  std::string service;  // kind:path
  std::string site;
  std::string role;  // server, client
  std::vector<std::string> names;
  std::string certificate;  // path as bound; never empty
  std::string key;
};

// What one service binds, and what it was configured by: files, and directories of further files.
struct BoundService {
  std::string service;
  std::vector<BoundRow> rows;
  std::vector<std::string> configured_by;
};

// Replaces what was known of these services. `whole`: they are all that run. What else is known and
// binds something is kept, until `forget_bound`: it may be down only. Writes only where something
// differs. Gives whether it did.
Result<bool> remember_bound(Database& database, const std::vector<BoundService>& services,
                            bool whole);

// Gives whether anything was known of it.
Result<bool> forget_bound(Database& database, const std::string& service);

Result<std::vector<BoundRow>> bound_rows(Database& database);
// The paths that some service was configured by.
Result<std::vector<std::string>> configuration_paths(Database& database);

}  // namespace certrebind
