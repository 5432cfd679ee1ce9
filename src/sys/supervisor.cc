#include "sys/supervisor.h"

#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace certrebind {

void tell_supervisor(const std::string& state) {
  (void)::sd_notify(0, state.c_str());
}

std::optional<milliseconds> watchdog_interval() {
  uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(std::chrono::microseconds(microseconds));
}

void log_entry(const std::string& message,
               const std::vector<std::pair<std::string, std::string>>& fields) {
  if (std::getenv("JOURNAL_STREAM") == nullptr) {
    std::fprintf(stderr, "%s\n", printable_lines(message).c_str());
    return;
  }
  std::vector<std::string> texts = {"MESSAGE=" + printable_lines(message)};
  for (const auto& [name, value] : fields)
    if (!value.empty()) texts.push_back(name + "=" + value);
  std::vector<iovec> parts;
  for (std::string& text : texts) parts.push_back({text.data(), text.size()});
  (void)::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace certrebind
