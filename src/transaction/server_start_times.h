// When a server loaded what it serves now.
#pragma once

#include <map>
#include <optional>

#include "service/service.h"
#include "sys/host.h"

namespace certrebind {

class ServerStartTimes {
 public:
  explicit ServerStartTimes(const Host& host) : host_(host) {}

  // Start time of the oldest worker, with a resolution of 1/100 second; empty if the server does
  // not run.
  std::optional<WallTime> since(const Service& service);

 private:
  const Host& host_;
  std::map<const Service*, std::optional<WallTime>> known_;
};

}  // namespace certrebind
