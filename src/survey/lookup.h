// Who answers: which bindings a name, an address or a file leads to, as far as the configuration
// tells. What a handshake shows is asked apart.
#pragma once

#include <string>
#include <vector>

#include "survey/survey.h"

namespace certrebind {

struct LookupResult {
  const SurveyedBinding* bound = nullptr;
  const Endpoint* endpoint = nullptr;  // null for a binding that listens nowhere
  std::string sni;                     // what to send there; empty: no name
  std::string why;                     // "named there", "the default there: …"
};

// Takes a host name ("www.example.com"), a listener ("127.0.0.1:443", "[::]:443", ":443", "443",
// "unix:/run/x.sock"), a path (of a certificate, a key or a configuration file) or the thumbprint
// of a certificate on disk, or its first eight digits. For a name: on every listener the site that
// is named, else the one whose wildcard is the longest, else the default.
std::vector<LookupResult> look_up(const Files& files, const Survey& survey,
                                  const std::string& typed);

}  // namespace certrebind
