// Which certificate succeeded which, and how that is known. Outlives both files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace certrebind {

struct KnownSuccession {
  std::string old_thumbprint;
  std::string new_thumbprint;
  // "declared", "same place", "same identity"; "undone": a person took it back, and it is not to be
  // made again by itself.
  std::string how;
  std::string renewer;  // empty: nobody that is known
  std::string path;     // where NEW lies
};

// True if it was not known before. Within whatever database transaction is open; throws what
// SQLiteCpp throws.
bool add_succession(Database& database, const KnownSuccession& succession, WallTime now);
// The same, over what was known of the two: a person's word.
void declare_succession(Database& database, const KnownSuccession& succession, WallTime now);

Result<std::vector<KnownSuccession>> known_successions(Database& database);

}  // namespace certrebind
