// The IP addresses of a process's network namespace, as proc(5) lists them. An address may be
// configured for a server and absent: it belongs to another machine at the moment (a failover
// address).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/files.h"
#include "sys/ip_text.h"

namespace certrebind {

class LocalAddresses {
 public:
  // Unset if /proc does not tell, or tells too much: a router's tables are long.
  static std::optional<LocalAddresses> of(const Files& files, int pid);
  // The contents of net/fib_trie and net/ipv6_route.
  LocalAddresses(std::string_view fib_trie, std::string_view ipv6_route);

  // True if `host`, an IP address without brackets, is local. An address may be one of a whole
  // network that is local.
  bool has(const std::string& host) const;

 private:
  struct Network {
    Ip ip;
    size_t bits;
  };
  void add_ipv4(std::string_view fib_trie);
  void add_ipv6(std::string_view ipv6_route);

  std::vector<Network> networks_;
};

}  // namespace certrebind
