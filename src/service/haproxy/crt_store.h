// The sections `crt-store` (HAProxy 3.0), and the options that they share with crt-lists and with
// `ssl-f-use`: which files make a certificate, and what HAProxy does with it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "service/haproxy/config.h"

namespace certrebind::haproxy {

// "key FILE ocsp FILE …". Empty: not given.
struct LoadOptions {
  std::string key, ocsp, issuer, sctl;
  bool updates_ocsp = false;  // ocsp-update on
  bool acme = false;          // HAProxy renews it itself, in its memory only

  // If any file is named, HAProxy looks for none beside the certificate.
  bool names_files() const {
    return !key.empty() || !ocsp.empty() || !issuer.empty() || !sctl.empty();
  }
};

// Takes words after the certificate's.
LoadOptions load_options(std::span<const std::string_view> words);

// "load crt FILE …": relative paths are inside the bases already, as HAProxy composes them.
struct Load {
  std::string name;         // HAProxy's for it: what "crt" must say, after crt-base is added
  std::string certificate;  // its file
  LoadOptions options;
  std::string directory;  // of relative paths
};

// In the order of the configuration.
std::vector<Load> loads_of(const Config& config);

}  // namespace certrebind::haproxy
