// Which certificate succeeded which, and how that is known. Outlives both files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace certrebind {

// How it is known that NEW succeeds OLD.
enum class How {
  declared,       // a person said so
  same_place,     // a path that held OLD holds NEW
  same_identity,  // the same names and type of key, and the only one that ends later
  undone,         // it does not: a person took it back, and nothing makes it again by itself
};
std::string to_text(How how);  // "declared", "same place", …

struct KnownSuccession {
  std::string old_thumbprint;
  std::string new_thumbprint;
  How how = How::declared;
  std::string renewer;  // empty: unknown
  std::string path;     // where NEW lies
};

// True if it was not known before. Within whatever database transaction is open; throws what
// SQLiteCpp throws.
bool add_succession(Database& database, const KnownSuccession& succession, WallTime now);
// The same, over what was known of the two: a person's word.
void declare_succession(Database& database, const KnownSuccession& succession, WallTime now);

// Oldest first.
Result<std::vector<KnownSuccession>> known_successions(Database& database);

}  // namespace certrebind
