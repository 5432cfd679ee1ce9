// Where to connect to reach a wildcard listener: it has no address of its own, and a more specific
// listener on the same port takes connections away from it.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "sys/network.h"

namespace certrebind {

struct Reach {
  Address address;
  std::string unproven;  // why nothing reaches it
};

class Loopback {
 public:
  // Takes the addresses without wildcards that something listens on for TCP, as canonical host and
  // port.
  explicit Loopback(std::set<std::pair<std::string, uint16_t>> specific)
      : specific_(std::move(specific)) {}

  // An address of loopback that no listener names; all of 127.0.0.0/8 reaches an IPv4 wildcard.
  Reach ipv4(uint16_t port) const;
  Reach ipv6(uint16_t port) const;

 private:
  std::set<std::pair<std::string, uint16_t>> specific_;
};

}  // namespace certrebind
