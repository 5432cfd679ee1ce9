#include "transaction/server_start_times.h"

#include "transaction/reloader.h"

namespace certrebind {

std::optional<WallTime> ServerStartTimes::since(const Service& service) {
  auto [entry, is_new] = known_.try_emplace(&service);
  if (is_new) entry->second = Reloader(&service, host_).serving_since();
  return entry->second;
}

}  // namespace certrebind
