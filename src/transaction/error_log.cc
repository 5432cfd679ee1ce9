#include "transaction/error_log.h"

#include <algorithm>
#include <sstream>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr size_t kMostRead = 1u << 20;  // bytes: a log may grow fast
constexpr size_t kMostLines = 3;
constexpr size_t kLongest = 300;  // bytes of a line

// The level is in the first brackets, "2026/11/29 10:00:00 [emerg] 12#12: …", or in the second
// ones, after the time: "[Sun Nov 29 …] [ssl:emerg] [pid 12] …". What follows may be a client's
// text.
bool is_serious(const std::string& line) {
  size_t begin = line.find('[');
  for (int i = 0; i < 2 && begin != std::string::npos; ++i) {
    const size_t end = line.find(']', begin);
    if (end == std::string::npos) return false;
    const std::string group = line.substr(begin + 1, end - begin - 1);
    const std::string level = group.substr(group.rfind(':') + 1);
    if (level == "emerg" || level == "alert" || level == "crit") return true;
    begin = line.compare(end + 1, 2, " [") == 0 ? end + 2 : std::string::npos;
  }
  return false;
}

}  // namespace

ErrorLog::ErrorLog(const Files& files, std::vector<std::string> paths) : files_(files) {
  for (std::string& path : paths) logs_.push_back({.path = std::move(path)});
}

void ErrorLog::begin() {
  for (Log& log : logs_) {
    auto now = files_.stat(log.path);
    log.inode = now ? now->inode : 0;
    log.end = now ? now->size : 0;
  }
}

std::vector<std::string> ErrorLog::said() const {
  std::vector<std::string> lines;
  for (const Log& log : logs_) {
    auto now = files_.stat(log.path);
    // A log that was rotated since is another file.
    const uint64_t from = now && now->inode == log.inode && now->size >= log.end ? log.end : 0;
    auto text = files_.read_from(log.path, from, kMostRead);
    if (!text) continue;
    std::istringstream all(*text);
    for (std::string line; std::getline(all, line);) {
      if (!is_serious(line)) continue;
      line = printable(line.substr(0, kLongest));
      if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
    }
  }
  if (lines.size() > kMostLines) lines.erase(lines.begin(), lines.end() - kMostLines);
  return lines;
}

}  // namespace certrebind
