// The files that an Include directive names, in httpd's order (ap_process_resource_config).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/root.h"

namespace certrebind::apache {

struct IncludedFile {
  std::string path;  // inside the root
  std::string real;  // on this host; empty: missing or unreachable
};

struct IncludePaths {
  std::vector<IncludedFile> files;
  std::vector<std::string> directories;  // directories that were searched, inside the root
  std::vector<std::string> whole;        // the subset of which all files are included
  std::string problem;                   // why httpd would reject the directive
};

// Takes an absolute path or pattern inside the root. Matches one component after the other, each
// directory's entries in byte order. A directory includes all files below it, hidden ones too.
IncludePaths include_paths(std::string_view pattern, Root& root);

}  // namespace certrebind::apache
