// What the sections `global` and `crt-store` say of certificates and of the control socket.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/haproxy/config.h"
#include "sys/network.h"

namespace certrebind::haproxy {

// "load crt FILE key FILE alias NAME" of a crt-store (HAProxy 3.0).
struct Load {
  const Statement* statement = nullptr;
  const Word* certificate = nullptr;
  const Word* key = nullptr;  // null: in the same file, or beside it
  std::string alias;
};

struct CertificateStore {
  std::string name;  // empty for the store without one
  std::string certificate_base;
  std::string key_base;
  std::vector<Load> loads;
};

struct Globals {
  std::string certificate_base;  // crt-base, absolute inside the root; empty: the directory
  std::string key_base;          // key-base
  bool extra_bundle = true, extra_key = true, extra_ocsp = true, extra_issuer = true,
       extra_timestamps = true;        // ssl-load-extra-files
  bool removes_extension = false;      // ssl-load-extra-del-ext
  bool strict_sni = false;             // of ssl-default-bind-options
  std::string ciphers;                 // ssl-default-bind-ciphers
  bool only_newest = false;            // ssl-default-bind-options ssl-min-ver TLSv1.3
  std::string unix_prefix;             // unix-bind prefix
  size_t buffer_size = 16384;          // tune.bufsize
  std::vector<Address> admin_sockets;  // `stats socket … level admin` that can be reached from here
  std::map<std::string, CertificateStore> stores;
};

Globals read_globals(const Config& config, const Started& started, const Root& root);

// One address of a `bind` or `stats socket` line, as HAProxy takes it.
struct BindAddress {
  enum class Family { ipv4, ipv6, unix_socket, other };
  Family family = Family::ipv4;
  std::string text;  // as written, one port of a range: "*:443", "unix@/run/x"
  std::string host;  // empty: a wildcard. As written where it is no IP address
  uint16_t port = 0;
  std::string path;  // of a UNIX socket, inside the root; "@name" is an abstract one
  bool quic = false;
  std::string unknown;  // not empty: why it cannot be connected to from here
};

// Takes the first argument: addresses parted by commas, each with a port or a range of them.
std::vector<BindAddress> parse_addresses(std::string_view argument, std::string_view unix_prefix);

}  // namespace certrebind::haproxy
