// The servers of a configuration and their TLS properties: addresses, names, and certificates after
// inheritance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/nginx/config.h"
#include "service/nginx/listen.h"
#include "service/nginx/values.h"

namespace certrebind::nginx {

struct ServerName {
  std::string text;  // lower case; a regex is as written
  Value where;
  bool regex = false;
};

// The settings of one level. `server` inherits from http or stream what it does not set itself.
struct TlsSettings {
  std::vector<Value> certificates;
  std::vector<Value> keys;
  std::optional<bool> stapling;
  bool has_passphrase = false;         // ssl_password_file
  std::optional<std::string> ciphers;  // ssl_ciphers
  std::optional<bool> only_newest;     // ssl_protocols names TLSv1.3 alone
  std::optional<bool> old_ssl;         // `ssl on`, until 1.25.1
  std::optional<bool> rejects;         // `ssl_reject_handshake`
  bool chosen_by_lua = false;          // ssl_certificate_by_lua
};

struct Server {
  uint32_t node = 0;  // in Config::nodes
  bool stream = false;
  Value where;  // the word `server`
  std::vector<Listen> listens;
  std::vector<ServerName> names;
  TlsSettings tls;  // including inherited settings
  bool own_certificates = false;

  bool has_certificates() const { return !tls.certificates.empty(); }

  // The site's name for people: the first usable name, otherwise the listener.
  std::string site() const;
};

struct Servers {
  std::vector<Server> all;    // in nginx's order
  std::vector<Value> shared;  // certificates at the http and stream levels
  std::vector<Diagnostic> diagnostics;
};

// Returns every `server` of http and stream. Arrays are inherited as a whole
// (ngx_conf_merge_ptr_value): one ssl_certificate in a server hides all of http's. The same rule
// applies separately to keys.
Servers read_servers(const Config& config, HostNames& hosts);

// The TCP addresses on which they listen, each once.
std::vector<ListenAddress> listen_addresses(const Servers& servers);

}  // namespace certrebind::nginx
