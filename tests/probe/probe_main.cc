// Makes one handshake as certrebind does, and prints the thumbprint of the served certificate, or
// what happened instead.
//
//   probe 127.0.0.1 25 smtp [mx.example.com]
#include <fmt/format.h>

#include <cstdio>

#include "base/number.h"
#include "probe/handshake.h"

namespace certrebind {
namespace {

int probe(const std::string& host, uint16_t port, StartTls start_tls, const std::string& name) {
  SystemNetwork network;
  SystemClock clock;
  auto served = Prober(network, clock, std::chrono::seconds(10))
                    .handshake({.address = {.host = host, .port = port, .unix_path = {}},
                                .start_tls = start_tls,
                                .sni = name});
  fmt::print("{}\n", served ? served->thumbprint.hex() : served.error().cause);
  return served ? 0 : 1;
}

}  // namespace
}  // namespace certrebind

int main(int count, char** arguments) {
  using namespace certrebind;
  auto port = count > 3 ? whole_number<uint16_t>(arguments[2]) : std::nullopt;
  auto start_tls = count > 3 ? start_tls_named(arguments[3]) : std::nullopt;
  if (port && start_tls)
    return probe(arguments[1], *port, *start_tls, count > 4 ? arguments[4] : "");
  fmt::print(stderr, "usage: probe HOST PORT DIALECT [NAME]\n");
  return 2;
}
