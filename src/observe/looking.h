// What a read-only command needs.
#pragma once

#include <vector>

#include "observe/asker.h"
#include "service/service.h"
#include "state/settings.h"
#include "sys/host.h"

namespace certrebind {

struct Looking {
  Host host;
  const Settings& settings;
  Asker& asker;
  const std::vector<ServiceId>& only;  // empty: every server of this host
};

}  // namespace certrebind
