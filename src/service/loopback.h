// The address for connecting to a wildcard listener. A wildcard has no address of its own, and a
// more specific listener on the same port takes its connections.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "sys/network.h"

namespace certrebind {

struct Reach {
  Address address;
  std::string unproven;  // why no address reaches the listener
};

class Loopback {
 public:
  // Takes the non-wildcard TCP listeners, as canonical host and port.
  explicit Loopback(std::set<std::pair<std::string, uint16_t>> specific)
      : specific_(std::move(specific)) {}

  // A loopback address that no listener names. Any address of 127.0.0.0/8 reaches an IPv4 wildcard.
  Reach ipv4(uint16_t port) const;
  Reach ipv6(uint16_t port) const;

 private:
  std::set<std::pair<std::string, uint16_t>> specific_;
};

}  // namespace certrebind
