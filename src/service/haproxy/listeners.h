// The TLS listeners of HAProxy with their certificates, and the client certificates for servers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/haproxy/bind_options.h"
#include "service/haproxy/config.h"
#include "service/haproxy/globals.h"
#include "service/haproxy/pems.h"

namespace certrebind::haproxy {

// One use of a certificate in the configuration.
struct Use {
  Pem pem;
  Place place;
  Word word;                  // of the certificate
  std::optional<Word> key;    // of the key, if named separately
  bool editable_word = true;  // the word names exactly this file
  std::vector<std::string>
      filters;  // of a crt-list: names for which it is shown, with "!" those for which it is not
  bool is_default = false;    // for clients whose name selects none; there may be several
  bool updates_ocsp = false;  // HAProxy itself fetches OCSP responses
  bool doubtful = false;
  std::string ciphers;  // see BindOptions
};

// A `bind` line with `ssl`, or the listener of a section `peers`.
struct Listener {
  Place place;
  std::string section;  // "frontend www"
  std::vector<BindAddress> addresses;
  BindOptions options;
  std::string not_asked;  // not empty: why no handshake may ask it
  std::vector<Use> uses;  // in HAProxy's loading order
};

struct ClientUse {
  std::string site;  // "backend app/web1"
  Use use;
};

struct Listeners {
  std::vector<Listener> all;
  std::vector<ClientUse> clients;
  std::vector<std::unique_ptr<ConfigFile>> lists;  // crt-list files that were read
  std::vector<std::string> directories;            // of certificates, on this host
  std::vector<Diagnostic> diagnostics;
  Looks looked_at;  // certificates read during the search
};

// `config` must outlive the result.
Listeners find_listeners(const Config& config, const Globals& globals, const Started& started,
                         Root& root);

}  // namespace certrebind::haproxy
