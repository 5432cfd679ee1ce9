// Since when a server serves what it has loaded.
#pragma once

#include <map>
#include <optional>

#include "service/service.h"
#include "sys/host.h"

namespace certrebind {

class ServerProcesses {
 public:
  explicit ServerProcesses(const Host& host) : host_(host) {}

  // When the oldest of its workers was started, in hundredths of a second; nothing where it does
  // not run.
  std::optional<WallTime> since(const Service& service);

 private:
  const Host& host_;
  std::map<const Service*, std::optional<WallTime>> known_;
};

}  // namespace certrebind
