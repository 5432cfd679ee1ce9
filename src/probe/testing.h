// For tests only: TLS servers in memory, behind the Network interface.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sys/network.h"
#include "x509/testing.h"

namespace certrebind {

// A certificate with its chain, and the key with which it is served.
struct FakeIdentity {
  std::string certificates;
  std::string key;
  auto operator<=>(const FakeIdentity&) const = default;
};

// TLS servers in memory. Each connection serves the current content of the table.
class FakeTls final : public Network {
 public:
  // By port and name. The name "" applies to no name and to every unlisted name. Several identities
  // differ in their key type. A port without entries refuses connections.
  std::map<std::pair<uint16_t, std::string>, std::vector<FakeIdentity>> table;
  // Called before each connection, one at a time. It may change the table.
  std::function<void(const Address&)> on_connect;
  mutable int connections = 0;

  void serve(uint16_t port, const std::string& name, const TestCertificate& certificate);
  Result<std::unique_ptr<Stream>> connect(const Address& address,
                                          SteadyTime deadline) const override;

 private:
  mutable std::mutex lock_;
};

}  // namespace certrebind
