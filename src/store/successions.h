// Records which certificate succeeded which, and how this is known. The record outlives both files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"
#include "store/risk.h"

namespace certrebind {

// How it is known that NEW succeeds OLD.
enum class How {
  declared,       // a person said so
  same_place,     // a path that held OLD now holds NEW
  same_identity,  // same names and key type, and the only such certificate that expires later
  undone,         // no succession: a person revoked it, and it is not recreated automatically
};
std::string to_text(How how);  // "declared", "same place", …

struct KnownSuccession {
  std::string old_thumbprint;
  std::string new_thumbprint;
  How how = How::declared;
  std::string renewer;  // empty: unknown
  std::string path;     // of NEW
  Risks accepted = {};  // by the person who declared it
};

// True if the succession is new. Runs within the open database transaction; throws what SQLiteCpp
// throws.
bool add_succession(Database& database, const KnownSuccession& succession, WallTime now);
// Like `add_succession`, but overwrites what is known about the two: a person declared it.
void declare_succession(Database& database, const KnownSuccession& succession, WallTime now);

// Oldest first.
Result<std::vector<KnownSuccession>> known_successions(Database& database);

}  // namespace certrebind
