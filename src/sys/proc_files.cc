#include "sys/proc_files.h"

#include "base/text.h"
#include "sys/disk.h"

namespace certrebind {

std::string proc(int pid, const std::string& entry) {
  return "/proc/" + std::to_string(pid) + "/" + entry;
}

// These files have no size, which Disk::read handles.
std::string read_or_empty(const std::string& path) {
  auto bytes = Disk().read(path, kConfigLimit);
  return bytes ? *bytes : std::string();
}

std::string link_or_empty(const std::string& path) {
  auto target = Disk().read_link(path);
  return target ? *target : std::string();
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words = split(line, ' ');
  std::erase(words, "");
  return words;
}

}  // namespace certrebind
