// Matches file names against patterns.
#pragma once

#include <string>

namespace certrebind {

// Compares one component of a path pattern with one name: fnmatch(3) with FNM_PERIOD, as glob(3)
// does.
bool file_name_matches(const std::string& pattern, const std::string& name);

}  // namespace certrebind
