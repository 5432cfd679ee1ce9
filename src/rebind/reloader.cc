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

// Of a title: the child is called so. Of listeners: it holds one that its master had. What may not
// be looked into is not known to have let go.
bool Reloader::takes_connections(const Process& worker) const {
  auto master = target();
  if (!master) return false;
  if (!master->workers.empty())
    return !worker.arguments.empty() && worker.arguments.front() == master->workers;
  auto held = processes_.sockets(worker.pid);
  if (!held) return held.error().code != Code::not_found;
  return std::ranges::any_of(*held, [&](uint64_t socket) {
    return std::ranges::find(listeners_, socket) != listeners_.end();
  });
}

std::vector<Process> Reloader::workers() const {
  auto master = target();
  if (!master || (master->workers.empty() && !master->workers_hold_listeners)) return {};
  auto children = processes_.children(master->pid);
  if (!children) return {};
  std::erase_if(*children, [&](const Process& child) { return !takes_connections(child); });
  return std::move(*children);
}

Done Reloader::reload() {
  auto master = target();
  if (!master) return fail(Code::not_found, "reload", "the server", "it is not running");
  if (master->workers_hold_listeners)
    listeners_ = processes_.listening_sockets(master->pid).value_or(std::vector<uint64_t>());
  old_workers_ = workers();
  return processes_.signal(master->pid, master->started, master->signal);
}

// Each by itself: a list of children is not one look, and one that just forks could be missed.
bool Reloader::old_workers_remain() const {
  return std::ranges::any_of(old_workers_, [&](const Process& old_worker) {
    auto now = processes_.find(old_worker.pid);
    return now && now->started == old_worker.started && takes_connections(*now);
  });
}

}  // namespace certrebind
