// The files that an Include names, in httpd's order (ap_process_resource_config).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/root.h"

namespace certrebind::apache {

struct IncludedFile {
  std::string path;  // inside the root
  std::string real;  // on this host; empty: there is none, or it cannot be reached
};

struct IncludePaths {
  std::vector<IncludedFile> files;
  std::vector<std::string> directories;  // that were looked into, inside the root
  std::vector<std::string> whole;        // of these, those that bring all their files
  std::string problem;                   // why httpd would refuse the directive
};

// Takes an absolute path or pattern inside the root. Components are matched one after the other,
// each directory's entries in byte order; a directory brings all files below it, hidden ones too.
IncludePaths include_paths(std::string_view pattern, Root& root);

}  // namespace certrebind::apache
