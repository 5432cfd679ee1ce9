// Records what the daemon last saw at each watched path, and which directory entries may affect
// which path.
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
  std::string key;         // of the key; empty: search for it
  std::string thumbprint;  // empty: no certificate there
  WallTime not_before;
  WallTime not_after;
};

// What a watched directory entry belongs to. Ordered by name, as the database sorts them.
enum class HopKind { certificate, configuration, store, settings, wake };

// A change of the entry `name` in `directory` (empty name: any entry) may affect `path`.
struct Hop {
  std::string directory;
  std::string name;
  HopKind kind = HopKind::certificate;
  std::string path;  // the certificate, the store, or empty
  auto operator<=>(const Hop&) const = default;
};

// These functions run within the open database transaction and throw what SQLiteCpp throws. Use
// them inside Database::atomically and guarded.
std::optional<Place> place_at(Database& database, const std::string& path);
std::vector<Place> all_places(Database& database);
void put_place(Database& database, const Place& place, WallTime now);
void drop_place(Database& database, const std::string& path);
// True if some watched path still holds the certificate.
bool lies_somewhere(Database& database, const std::string& thumbprint);

// Makes the stored hops equal to `hops`.
void put_hops(Database& database, const std::set<Hop>& hops);
std::vector<Hop> hops_at(Database& database, const std::string& directory, const std::string& name);

}  // namespace certrebind
