// The certificates that mod_md manages: it obtains them, stores them and installs a renewed one at
// the next reload.
#pragma once

#include <string>
#include <vector>

#include "service/apache/hosts.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

// A certificate in mod_md's store, on this host.
struct ManagedPair {
  std::string certificate;
  std::string key;
  std::string next;  // the renewed certificate that the next reload installs; empty: none
};

struct ManagedDomain {
  Value where;                     // the first name of MDomain
  std::vector<std::string> names;  // lower case; the first is the name of its directory
  Value certificate;               // MDCertificateFile, if set manually
  Value key;
  // "pubcert.pem", and one more for each additional key type.
  std::vector<ManagedPair> pairs;
};

struct Managed {
  std::vector<ManagedDomain> domains;
  std::vector<Diagnostic> diagnostics;  // renewed certificates that wait for a reload
};

Managed read_managed(const Config& config, Root& root);

// The bindings of a host with TLS but without its own certificate. Empty if mod_md knows none of
// its names.
std::vector<Binding> managed_bindings(const Managed& managed, const Host& host,
                                      const Binding& outline);

}  // namespace certrebind::apache
