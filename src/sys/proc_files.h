// Reads small files of /proc (proc(5)). A file that vanished meanwhile is no error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// "/proc/PID/ENTRY"
std::string proc(int pid, const std::string& entry);
// Empty if the file cannot be read.
std::string read_or_empty(const std::string& path);
std::string link_or_empty(const std::string& path);
// The words of a line of /proc/net, which pads them with blanks.
std::vector<std::string> words_of(std::string_view line);

}  // namespace certrebind
