// Directories of mode 0700 with files of mode 0600, for keys.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

// Makes the directory and those above it if they are missing, durably. Code::denied if users other
// than root could change the way to it, or what is in it.
Done make_private_directory(Files& files, const std::string& path);

// Makes the new directory with these files in it, durably. A name begins with "/".
Done write_private_files(Files& files, const std::string& directory,
                         const std::vector<std::pair<std::string, std::string>>& contents);

// Removes a directory with files of these names, in this order. Code::failed if it holds anything
// else; then nothing is removed. No error if it is not there.
Done remove_private_files(Files& files, const std::string& directory,
                          const std::vector<std::string>& names);

}  // namespace certrebind
