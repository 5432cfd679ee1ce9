// Finds the bindings that a name, an address or a file leads to, according to the configuration. It
// makes no handshakes.
#pragma once

#include <string>
#include <vector>

#include "survey/survey.h"

namespace certrebind {

struct LookupResult {
  const SurveyedBinding* bound = nullptr;
  const Endpoint* endpoint = nullptr;  // null for a binding that has no listener
  std::string sni;                     // the name to send; empty: none
  std::string why;                     // "named there", "the default there: …"
  bool by_default = false;             // no site has the name: the listener's default answers
};

// `typed` is a host name ("www.example.com"), a listener ("127.0.0.1:443", "[::]:443", ":443",
// "443", "unix:/run/x.sock"), a path (of a certificate, a key or a configuration file), the
// thumbprint of a certificate on disk, or its first eight digits. For a host name, each listener
// gives the virtual host with that name, else the one with the longest matching wildcard, else the
// default.
std::vector<LookupResult> look_up(const Files& files, const Survey& survey,
                                  const std::string& typed);

// The bindings of the site that a person names: those that have this name, or whose wildcard covers
// it, or which `scan` shows under it. A listener's default does not count, because it answers to
// every misspelt name too. Empty if no site has the name.
std::vector<const SurveyedBinding*> bindings_of_site(const Survey& survey, const std::string& name);

// Those of them that a person means who names no service: any user may give a site of his server
// any name, so the servers of other users are left out.
std::vector<const SurveyedBinding*> our_bindings_of_site(const Survey& survey,
                                                         const std::string& name);

// The names of all sites: as a survey shows them, and their other names.
std::vector<std::string> site_names(const Survey& survey);

// The name of a site that `name` probably misspells; empty if there is none.
std::string nearest_site(const Survey& survey, const std::string& name);

// Why no site has this name, with the name that was probably meant (Code::failed).
Error no_such_site(const Survey& survey, const std::string& doing, const std::string& name);

}  // namespace certrebind
