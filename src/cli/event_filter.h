// Which events `certrebind events` prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/events.h"
#include "service/service.h"

namespace certrebind {

// Everything that is set must hold.
struct EventFilter {
  std::string thumbprint = {};  // the first digits of OLD's or NEW's SHA-256
  std::string site = {};        // a name of the event, or one that a wildcard of the event covers
  EventLevel least = EventLevel::information;
  std::optional<WallTime> since = {};
  std::vector<ServiceId> services = {};  // of one of these
};

bool passes(const EventFilter& filter, const Event& event);

}  // namespace certrebind
