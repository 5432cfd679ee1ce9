// File names against patterns.
#pragma once

#include <string>

namespace certrebind {

// Takes one component of a path's pattern and one name: fnmatch(3) with FNM_PERIOD, which is how
// glob(3) compares them.
bool file_name_matches(const std::string& pattern, const std::string& name);

}  // namespace certrebind
