#include "service/trust.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/container.h"
#include "sys/safe_way.h"

namespace certrebind {

std::string Trust::whose() const {
  if (container.empty()) return fmt::format("user {}", owner);
  return fmt::format("a container (process {})", process_of_container(container).value_or(0));
}

Trust trust_of(const Process& process, const Files& files) {
  if (own_user() != 0) return {};
  if (process.other_mounts)
    return {.owner = process.owner,
            .unasked = "it is in a container",
            .owner_writes = true,
            .container = process.root};
  if (process.owner != 0)
    return {.owner = process.owner, .unasked = who_else_could_change(files, {process.executable})};
  return trust_of_idle(process.executable, files);
}

Trust trust_of_idle(const std::string& executable, const Files& files) {
  if (executable.empty()) return {};
  std::string who = who_else_could_change(files, {executable});
  return {.owner = own_user(), .doubt = who, .unasked = who};
}

std::string who_else_could_change(const Files& files, const std::vector<std::string>& obeyed) {
  if (own_user() != 0) return "";
  SafeWay way(files);
  for (const std::string& path : obeyed) {
    Done safe = way.to_content(path);
    if (safe) continue;
    const Error& error = safe.error();
    return fmt::format("{}: {}", printable(error.subject),
                       error.code == Code::denied ? error.cause : error.message());
  }
  return "";
}

}  // namespace certrebind
