// The options of `bind` lines, apart from addresses and certificates.
#pragma once

#include <string>
#include <string_view>

#include "service/haproxy/config.h"
#include "service/haproxy/globals.h"

namespace certrebind::haproxy {

struct BindOptions {
  bool tls = false;
  bool names_certificate = false;
  bool strict_sni = false;
  bool strict_by_default = false;  // of ssl-default-bind-options: each `ssl` applies it
  bool accepts_proxy = false;
  bool needs_other_header = false;  // accept-netscaler-cip
  bool both_families = false;       // v4v6
  bool updates_ocsp = false;        // HAProxy itself fetches OCSP responses
  std::string ciphers;              // up to TLS 1.2; empty: HAProxy's default, or TLS 1.3 only
  bool only_newest = false;         // TLS 1.3 only
};

BindOptions default_options(const Globals& globals);

// Adds those of a line, from the word `first` on. Several lines may describe one listener.
void add_options(const Statement& statement, size_t first, BindOptions& options);

// The next word is not a keyword.
bool takes_value(std::string_view keyword);

}  // namespace certrebind::haproxy
