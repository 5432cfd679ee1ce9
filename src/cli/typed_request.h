// What a person typed for `plan`, `rebind` and `switch`: pairs of certificates, and sites.
#pragma once

#include <optional>
#include <vector>

#include "acts/site_pairs.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/rebind_options.h"

namespace certrebind {

struct TypedRequest {
  RebindRequest rebind;            // its pairs are those of certificates
  std::vector<SiteRequest> sites;  // may be empty
};

// Reads the words from left to right: SITE, SITE NEW, or OLD NEW. A path, a thumbprint and the name
// of a file are certificates, any other word is a site. Code::usage for words that do not come in
// this order. Code::failed for a name that is both a site and a file which users other than root
// may have put there. Makes paths absolute.
Result<TypedRequest> request_of(const RebindOptions& options, Context& context);

// The sites of a request, as they were found.
struct FoundSites {
  SiteLook found;
  bool differs = false;  // something is left for a person
};

// Looks at the sites, and adds the pairs of certificates to what was found there. Prints what is
// left for a person.
Result<FoundSites> find_sites(Context& context, const History& history,
                              const TypedRequest& request);
// If there is no pair to act on: says what the sites serve, and returns the exit code. With --json,
// adds that to `json` and prints it.
std::optional<int> tell_no_pair(Context& context, const FoundSites& sites, Json json);

}  // namespace certrebind
