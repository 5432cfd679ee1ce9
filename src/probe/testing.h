// For tests only: TLS servers in memory, behind the network's seam.
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

// A certificate with its chain, and the key that it is served with.
struct FakeIdentity {
  std::string certificates;
  std::string key;
  auto operator<=>(const FakeIdentity&) const = default;
};

// TLS servers in memory, which serve what the table says at the moment of the connection.
class FakeTls final : public Network {
 public:
  // By port and name; the name "" is for no name and for every name that is not listed. Several
  // identities differ in their type of key. A port without entries refuses connections.
  std::map<std::pair<uint16_t, std::string>, std::vector<FakeIdentity>> table;
  // Called before each connection, one at a time; may change the table.
  std::function<void(const Address&)> on_connect;
  mutable int connections = 0;

  void serve(uint16_t port, const std::string& name, const TestCertificate& certificate);
  Result<std::unique_ptr<Stream>> connect(const Address& address,
                                          SteadyTime deadline) const override;

 private:
  mutable std::mutex lock_;
};

}  // namespace certrebind
