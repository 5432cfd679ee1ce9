#include "sys/file_name.h"

#include <fnmatch.h>

namespace certrebind {

bool file_name_matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
}

}  // namespace certrebind
