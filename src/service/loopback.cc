#include "service/loopback.h"

#include <fmt/format.h>

namespace certrebind {

Reach Loopback::ipv4(uint16_t port) const {
  for (int last = 1; last < 255; ++last) {
    std::string host = fmt::format("127.0.0.{}", last);
    if (!specific_.contains({host, port})) return {Address{host, port, ""}, ""};
  }
  return {Address{"127.0.0.1", port, ""}, "every loopback address has a listener of its own"};
}

Reach Loopback::ipv6(uint16_t port) const {
  Reach reach{Address{"::1", port, ""}, ""};
  if (specific_.contains({"::1", port}))
    reach.unproven = fmt::format("another listener answers on [::1]:{}", port);
  return reach;
}

}  // namespace certrebind
