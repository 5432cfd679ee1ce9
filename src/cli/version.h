// What this program is.
#pragma once

#include <string>

namespace certrebind {

// "certrebind 0.1.0 (commit 1a2b3c4d)", and a line with the versions of the libraries that run.
std::string version_text();

}  // namespace certrebind
