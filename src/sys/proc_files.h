// Small files of /proc (proc(5)), where what has vanished meanwhile is no error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// "/proc/PID/ENTRY"
std::string proc(int pid, const std::string& entry);
// Empty where it cannot be read.
std::string read_or_empty(const std::string& path);
std::string link_or_empty(const std::string& path);
// Words of a line of /proc/net, which are padded with blanks.
std::vector<std::string> words_of(std::string_view line);

}  // namespace certrebind
