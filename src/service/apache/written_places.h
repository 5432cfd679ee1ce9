// The paths that httpd writes, which a rehearsal must not touch.
#pragma once

#include <string>
#include <vector>

#include "service/apache/config.h"
#include "service/root.h"

namespace certrebind::apache {

struct WrittenPlaces {
  // Directories, as real paths on this host: of locks, sockets, stores, and of logs that do not
  // exist yet.
  std::vector<std::string> state;
  std::vector<std::string> logs;  // files that are appended to
};

WrittenPlaces written_places(const Config& config, Root& root);

}  // namespace certrebind::apache
