// Byte streams to servers, behind an interface. Every wait has a deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

// Bytes of a UNIX socket's path (sun_path in unix(7)).
inline constexpr size_t kLongestUnixPath = 108;

// The address of a listening server, in a form that can be connected to.
struct Address {
  std::string host;  // an IP address without brackets; empty for a UNIX socket
  uint16_t port = 0;
  std::string
      unix_path;  // "unix:" sockets; a leading '@' means an abstract socket, whose zero bytes count
  // TCP in the network namespace of this process (network_namespaces(7)); 0: ours.
  int network_of = 0;

  // "127.0.0.1:443", "[::1]:443", "unix:/run/x.sock", "127.0.0.1:443 (network of process 4711)"
  std::string text() const;
  auto operator<=>(const Address&) const = default;
};

class Stream {
 public:
  virtual ~Stream() = default;
  // Some bytes, or an empty string at the end of the stream. Code::timed_out at the deadline.
  virtual Result<std::string> read(SteadyTime deadline) = 0;
  virtual Done write(std::string_view bytes, SteadyTime deadline) = 0;
  // The user id of the listening process. For a UNIX socket: the process that called listen(2)
  // (SO_PEERCRED, unix(7)). For TCP on this machine: the owner of the listening socket (proc(5),
  // net/tcp). Unset if neither is known, or if several users listen there.
  virtual std::optional<uint32_t> peer_user() const { return std::nullopt; }
};

class Network {
 public:
  virtual ~Network() = default;
  // Never Code::denied. Refused, unreachable and reset are Code::failed with the system's message.
  virtual Result<std::unique_ptr<Stream>> connect(const Address& address,
                                                  SteadyTime deadline) const = 0;
  // Checks whether a program that sets SO_REUSEADDR, and with `shared` SO_REUSEPORT, could listen
  // at this TCP address now (bind(2)). Binds for a moment without accepting connections. Code::busy
  // if another program blocks the address, Code::not_found if this machine has no such address. No
  // error if the answer is unknown.
  virtual Done try_listen(const Address&, bool /*shared*/) const { return {}; }
};

// The TCP and UNIX sockets of this machine.
class SystemNetwork final : public Network {
 public:
  Result<std::unique_ptr<Stream>> connect(const Address& address,
                                          SteadyTime deadline) const override;
  Done try_listen(const Address& address, bool shared) const override;
};

}  // namespace certrebind
