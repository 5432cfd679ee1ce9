// The interfaces to one machine, bundled as functions take them.
#pragma once

#include <string>

#include "sys/clock.h"
#include "sys/files.h"
#include "sys/network.h"
#include "sys/processes.h"

namespace certrebind {

struct Host {
  Files& files;
  ProcessTable& processes;
  Commands& commands;
  const Network& network;
  Clock& clock;
  // The directory of the administrator's descriptions of services (certrebind-services(5)). Empty:
  // none.
  std::string descriptions = {};
};

}  // namespace certrebind
