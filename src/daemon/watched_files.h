// The directory entries that the daemon watches: all entries on the paths of bound or stored
// certificates and keys, including symbolic links; the stores; the configuration files of services.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "state/settings.h"
#include "store/watched_places.h"
#include "sys/files.h"

namespace certrebind {

// A watched certificate.
struct Watched {
  std::string certificate;
  std::string key;  // empty: unknown
  auto operator<=>(const Watched&) const = default;
};

struct WatchedFiles {
  std::set<Watched> certificates;
  std::set<Hop> hops;
};

// Reads directories and links, no files. A missing file is watched for at the place where it would
// appear.
Result<WatchedFiles> find_watched_files(const Files& files, const Settings& settings,
                                        Database& database);

// The directory entries on the way to `path`, outermost first: its own, those of links on the way,
// and the first missing one.
std::vector<std::pair<std::string, std::string>> entries_of(const Files& files,
                                                            const std::string& path);

}  // namespace certrebind
