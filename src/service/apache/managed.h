// The certificates that mod_md looks after: it obtains them itself, keeps them in its store and
// takes a renewed one into use at the next reload.
#pragma once

#include <string>
#include <vector>

#include "service/apache/hosts.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

// A certificate that mod_md keeps, on this host.
struct ManagedPair {
  std::string certificate;
  std::string key;
  std::string next;  // the renewed certificate that waits for a reload; empty: none does
};

struct ManagedDomain {
  Value where;                     // the first name of MDomain
  std::vector<std::string> names;  // lower case; the first is the name of its directory
  Value certificate;               // MDCertificateFile, where it is given by hand
  Value key;
  // "pubcert.pem", and one more for each further type of key.
  std::vector<ManagedPair> pairs;
};

struct Managed {
  std::vector<ManagedDomain> domains;
  std::vector<Diagnostic> diagnostics;  // what is renewed and waits for a reload
};

Managed read_managed(const Config& config, Root& root);

// The bindings of a host with TLS and without a certificate of its own; none if mod_md does not
// know any of its names.
std::vector<Binding> managed_bindings(const Managed& managed, const Host& host,
                                      const Binding& outline);

}  // namespace certrebind::apache
