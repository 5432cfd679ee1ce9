// The certificates that mod_md manages: it obtains them, stores them and installs a renewed one at
// the next reload. It appends them to those that a host names itself.
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
  // MDCertificateFile and MDCertificateKeyFile: static pairs, which mod_md uses instead of its own.
  std::vector<Value> certificates;
  std::vector<Value> keys;
  // Of each key type that mod_md wants, in its order: "" or ".secp256r1", which follows "pubcert"
  // in the names of the files.
  std::vector<std::string> key_types;
  std::vector<ManagedPair> pairs;      // in the store
  std::vector<ManagedPair> fallbacks;  // mod_md's own, until it has a pair
  std::string first;  // the first certificate, which the next reload installs; empty: none waits
};

struct Managed {
  std::vector<ManagedDomain> domains;
  bool by_aliases = true;               // MDMatchNames
  bool base_server = false;             // MDBaseServer
  std::vector<Diagnostic> diagnostics;  // renewed certificates that wait for a reload
};

Managed read_managed(const Config& config, Root& root);

// The bindings of the pairs that mod_md adds to those of a host with TLS. Empty if mod_md knows
// none of its names. A host without a certificate of its own gets mod_md's fallback.
std::vector<Binding> managed_bindings(const Managed& managed, const Host& host,
                                      const Binding& outline, const Config& config, Root& root);

// The certificate that the next reload adds to those of a host that has only its own yet; empty if
// none waits.
std::string waits_for(const Managed& managed, const Host& host);

}  // namespace certrebind::apache
