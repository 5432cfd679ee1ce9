// The servers of a configuration, the main one and its virtual hosts, with what matters to TLS:
// addresses, names, and certificates after inheritance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/apache/config.h"
#include "service/apache/listen.h"

namespace certrebind::apache {

// What is set in one server; a virtual host takes from the main server what it does not set.
struct TlsSettings {
  std::optional<bool> engine;
  std::vector<Value> certificates;
  std::vector<Value> keys;
  Value chain;
  std::optional<bool> stapling;
  std::optional<std::string> ciphers;  // SSLCipherSuite
  std::optional<bool> only_newest;     // SSLProtocol leaves TLSv1.3 alone
};

struct ServerName {
  std::string text;  // lower case
  Value where;
  bool pattern = false;  // holds "*" or "?"
};

struct Host {
  Value where;         // the word VirtualHost; null for the main server
  uint32_t begin = 0;  // its content in Config::nodes
  uint32_t end = 0;
  std::vector<Socket> addresses;  // none for the main server
  std::string name;               // of ServerName, lower case, without scheme and port
  std::string own_name;           // the same, but empty where it is only inherited
  std::vector<ServerName> names;  // ServerName (if set here) and aliases
  TlsSettings tls;                // with what was inherited
  bool own_certificates = false;
  std::optional<bool> proxy_protocol;  // RemoteIPProxyProtocol
  std::string protocol;                // of Protocol, lower case; empty where it is not set

  bool has_tls() const { return tls.engine.value_or(false); }
  // What a person calls it: its name, else its first alias, else its address.
  std::string site() const;
};

struct Listener {
  Socket at;
  Value where;           // the address
  std::string protocol;  // "https", lower case: as written, else by the port
};

struct Hosts {
  std::vector<Host> all;  // the main server first, then in the configuration's order
  std::vector<Listener> listeners;
  std::vector<Diagnostic> diagnostics;
};

Hosts read_hosts(const Config& config, HostNames& names);

// What httpd binds, each address once.
std::vector<ListenAddress> listen_addresses(const Hosts& hosts);

}  // namespace certrebind::apache
