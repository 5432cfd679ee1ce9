// What the daemon last saw at each path that it watches, and where a change may concern which path.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace certrebind {

struct Place {
  std::string path;        // of the certificate
  std::string key;         // of its key; empty: it is looked for
  std::string thumbprint;  // empty: nothing lies there
  WallTime not_before;
  WallTime not_after;
};

// What a watched directory entry leads to. In the order of their names, as the database sorts them.
enum class HopKind { certificate, configuration, store, wake };

// A change of the entry `name` in `directory` (empty: of anything there) may concern `path`.
struct Hop {
  std::string directory;
  std::string name;
  HopKind kind = HopKind::certificate;
  std::string path;  // the certificate, the store, or empty
  auto operator<=>(const Hop&) const = default;
};

// These work within whatever database transaction is open, and throw what SQLiteCpp throws: for use
// inside Database::atomically and guarded.
std::optional<Place> place_at(Database& database, const std::string& path);
std::vector<Place> all_places(Database& database);
void put_place(Database& database, const Place& place, WallTime now);
void drop_place(Database& database, const std::string& path);
// Whether a certificate still lies somewhere.
bool lies_somewhere(Database& database, const std::string& thumbprint);

// Makes what is kept equal to `hops`.
void put_hops(Database& database, const std::set<Hop>& hops);
std::vector<Hop> hops_at(Database& database, const std::string& directory, const std::string& name);

}  // namespace certrebind
