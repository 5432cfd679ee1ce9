// File name patterns of nginx's `include`: glibc's glob(3) with no flags, in the C locale.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/root.h"

namespace certrebind {

// True for a path that nginx passes to glob(3). nginx opens any other path literally
// (ngx_conf_include).
bool is_glob(std::string_view path);

// The directory above the first wildcard of an absolute pattern.
std::string directory_of_glob(std::string_view pattern);

// Takes an absolute pattern inside the root, with wildcards in any component. Returns the existing
// paths in byte order of the whole path. An unreadable directory counts as empty, as in nginx.
std::vector<std::string> expand_glob(std::string_view pattern, Root& root);

}  // namespace certrebind
