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

// Where a server listens, in a form that can be connected to.
struct Address {
  std::string host;  // an IP address without brackets; empty for a UNIX socket
  uint16_t port = 0;
  std::string unix_path;  // "unix:" sockets; a leading '@' is an abstract one, whole: zeros count

  // "127.0.0.1:443", "[::1]:443", "unix:/run/x.sock"
  std::string text() const;
  auto operator<=>(const Address&) const = default;
};

class Stream {
 public:
  virtual ~Stream() = default;
  // Some bytes; an empty string at the end of the stream. Code::timed_out at the deadline.
  virtual Result<std::string> read(SteadyTime deadline) = 0;
  virtual Done write(std::string_view bytes, SteadyTime deadline) = 0;
  // Who listens at the other end, as user id. Of a UNIX socket whoever called listen(2)
  // (SO_PEERCRED, unix(7)); of TCP on this machine the owner of the listening socket (proc(5),
  // net/tcp). Unset where neither tells, and where several users listen there.
  virtual std::optional<uint32_t> peer_user() const { return std::nullopt; }
};

class Network {
 public:
  virtual ~Network() = default;
  // Code::denied never: refused, unreachable and reset are Code::failed with the system's words.
  virtual Result<std::unique_ptr<Stream>> connect(const Address& address,
                                                  SteadyTime deadline) const = 0;
  // Whether a program that sets SO_REUSEADDR, and with `shared` SO_REUSEPORT, could listen at this
  // TCP address now (bind(2)): tries it for a moment, without taking connections. Code::busy where
  // another program is in the way, Code::not_found where this machine has no such address. What
  // cannot be told is no error.
  virtual Done try_listen(const Address&, bool /*shared*/) const { return {}; }
};

// TCP and UNIX sockets of this machine.
class SystemNetwork final : public Network {
 public:
  Result<std::unique_ptr<Stream>> connect(const Address& address,
                                          SteadyTime deadline) const override;
  Done try_listen(const Address& address, bool shared) const override;
};

}  // namespace certrebind
