// File name patterns as nginx's `include` understands them: glob(3) of glibc with no flags, in the
// C locale.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/root.h"

namespace certrebind {

// True for a path that nginx hands to glob(3); any other is opened as it stands (ngx_conf_include).
bool is_glob(std::string_view path);

// Takes an absolute pattern inside the root, with wildcards in any component; gives what exists, in
// byte order of the whole paths. A directory that cannot be read counts as empty, as it does for
// nginx.
std::vector<std::string> expand_glob(std::string_view pattern, Root& root);

}  // namespace certrebind
