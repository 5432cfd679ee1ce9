#include "rebind/reloader.h"

#include <algorithm>

namespace certrebind {

std::optional<SignalReload> Reloader::target() const {
  if (service_ == nullptr) return std::nullopt;
  return service_->reload().signal;
}

bool Reloader::master_is_gone() const {
  auto master = target();
  if (!master) return true;
  auto process = processes_.find(master->pid);
  return !process || process->started != master->started;
}

std::vector<Process> Reloader::workers() const {
  auto master = target();
  if (!master || master->workers.empty()) return {};
  auto children = processes_.children(master->pid);
  if (!children) return {};
  std::erase_if(*children, [&](const Process& child) {
    return child.arguments.empty() || child.arguments.front() != master->workers;
  });
  return std::move(*children);
}

Done Reloader::reload() {
  auto master = target();
  if (!master) return fail(Code::not_found, "reload", "the server", "it is not running");
  old_workers_ = workers();
  return processes_.signal(master->pid, master->started, master->signal);
}

bool Reloader::old_workers_remain() const {
  std::vector<Process> now = workers();
  return std::ranges::any_of(now, [&](const Process& worker) {
    return std::ranges::any_of(old_workers_, [&](const Process& old_worker) {
      return old_worker.pid == worker.pid && old_worker.started == worker.started;
    });
  });
}

}  // namespace certrebind
