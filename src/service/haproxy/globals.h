// The settings for certificates and the control socket in the sections `global`.
#pragma once

#include <string>
#include <vector>

#include "service/haproxy/config.h"
#include "sys/network.h"

namespace certrebind::haproxy {

struct Globals {
  bool extra_bundle = true, extra_key = true, extra_ocsp = true, extra_issuer = true,
       extra_timestamps = true;        // ssl-load-extra-files
  bool removes_extension = false;      // ssl-load-extra-del-ext
  bool strict_sni = false;             // of ssl-default-bind-options
  std::string ciphers;                 // ssl-default-bind-ciphers
  bool only_newest = false;            // ssl-default-bind-options ssl-min-ver TLSv1.3
  std::string unix_prefix;             // unix-bind prefix
  size_t buffer_size = 16384;          // tune.bufsize
  std::vector<Address> admin_sockets;  // `stats socket … level admin` sockets that we can reach
};

Globals read_globals(const Config& config, const Root& root);

// One address of a `bind` or `stats socket` line, as HAProxy reads it.
struct BindAddress {
  enum class Family { ipv4, ipv6, unix_socket, other };
  Family family = Family::ipv4;
  std::string text;  // as written, with one port of a range: "*:443", "unix@/run/x"
  std::string host;  // empty: a wildcard; as written if it is not an IP address
  uint16_t port = 0;
  std::string path;  // of a UNIX socket, inside the root; "@name" is an abstract socket
  bool quic = false;
  std::string unknown;  // not empty: why we cannot connect to it
};

// Takes the first argument: addresses separated by commas, each with a port or a port range.
std::vector<BindAddress> parse_addresses(std::string_view argument, std::string_view unix_prefix);

}  // namespace certrebind::haproxy
