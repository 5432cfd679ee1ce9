// What the daemon watches: for every certificate and key that is bound or stored, each directory
// entry by which it is reached, links included; the stores; the files that services are configured
// by.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "state/settings.h"
#include "store/watched_places.h"
#include "sys/files.h"

namespace certrebind {

// A certificate to be watched.
struct Watched {
  std::string certificate;
  std::string key;  // empty: not known
  auto operator<=>(const Watched&) const = default;
};

struct WatchedFiles {
  std::set<Watched> certificates;
  std::set<Hop> hops;
};

// Reads directories and links, no file. What does not exist is watched for where it would appear.
Result<WatchedFiles> find_watched_files(const Files& files, const Settings& settings,
                                        Database& database);

// The entries by which `path` is reached, outermost first: its own, those of links on the way, and
// the first that is missing.
std::vector<std::pair<std::string, std::string>> entries_of(const Files& files,
                                                            const std::string& path);

}  // namespace certrebind
