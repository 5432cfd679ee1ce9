// The servers of a configuration, main server and virtual hosts, and their TLS properties:
// addresses, names, and certificates after inheritance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/apache/config.h"
#include "service/apache/listen.h"

namespace certrebind::apache {

// The settings of one server. A virtual host inherits from the main server what it does not set.
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
  bool pattern = false;    // contains "*" or "?"
  bool inherited = false;  // the main server's ServerName
};

struct Host {
  Value where;         // the word VirtualHost; null for the main server
  uint32_t begin = 0;  // its content in Config::nodes
  uint32_t end = 0;
  std::vector<Socket> addresses;  // none for the main server
  // Of the last ServerName, lower case, without scheme and port. A host with an address for all
  // inherits the main server's.
  std::string name;
  std::string own_name;           // like `name`, but empty if inherited
  std::vector<ServerName> names;  // `name`, if it has one, and aliases
  TlsSettings tls;                // including inherited settings
  bool own_certificates = false;
  std::optional<bool> proxy_protocol;  // RemoteIPProxyProtocol
  std::string protocol;                // of Protocol, lower case; empty if not set

  bool has_tls() const { return tls.engine.value_or(false); }
  // The site's name for people: its own name, otherwise its first alias, otherwise the inherited
  // name, otherwise its address.
  std::string site() const;
};

struct Listener {
  Socket at;
  Value where;           // the address
  std::string protocol;  // "https", lower case: as written, otherwise by the port
};

struct Hosts {
  std::vector<Host> all;  // the main server first, then in the configuration's order
  std::vector<Listener> listeners;
  std::vector<Diagnostic> diagnostics;
};

Hosts read_hosts(const Config& config, HostNames& names);

// The addresses that httpd binds, each once.
std::vector<ListenAddress> listen_addresses(const Hosts& hosts);

}  // namespace certrebind::apache
