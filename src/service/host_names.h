// Looks up host names in /etc/hosts of a server's root. Never uses the network.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "service/root.h"

namespace certrebind {

class HostNames {
 public:
  explicit HostNames(const Root& root) : root_(root) {}
  // Canonical addresses, IPv6 without brackets. Empty for a name that is not in the file.
  const std::vector<std::string>& addresses(const std::string& name);

 private:
  void read();
  const Root& root_;
  bool was_read_ = false;
  std::map<std::string, std::vector<std::string>> names_;
};

}  // namespace certrebind
