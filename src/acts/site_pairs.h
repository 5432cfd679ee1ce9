// OLD and NEW of the sites that a person names. OLD is what a site serves. NEW is named too, or is
// found as `rebind --pending` finds it, without the policies: they are for what nobody asked for.
#pragma once

#include <string>
#include <vector>

#include "acts/pending_look.h"

namespace certrebind {

struct SiteRequest {
  std::string site;
  std::string new_one;   // a thumbprint or the path of a PEM file; empty: to be found
  std::string key_path;  // key of NEW; empty: to be found
  Risks accepted;
};

// What was found for the sites: in `look.pending`, the pairs and what only a person can decide.
struct SiteLook {
  PendingLook look;
  std::vector<const SurveyedBinding*> bindings;  // of the sites, in the order of the survey
};

// Surveys, and makes the handshakes of these sites. Fails with Code::failed if no site has a name,
// or if a named NEW might replace several certificates of its site; the error lists them.
Result<SiteLook> look_at_sites(const Looking& at, const History& history,
                               const std::vector<SiteRequest>& requests);

}  // namespace certrebind
