#include "survey/same_site.h"

#include <algorithm>

namespace certrebind {

namespace {

bool share_an_endpoint(const Binding& one, const Binding& other) {
  return std::ranges::any_of(one.endpoints, [&](const Endpoint& endpoint) {
    return std::ranges::find(other.endpoints, endpoint.address, &Endpoint::address) !=
           other.endpoints.end();
  });
}

bool are_twins(const SurveyedBinding& one, const SurveyedBinding& other) {
  return &one != &other && one.service == other.service && one.binding.site == other.binding.site &&
         one.binding.role == other.binding.role &&
         one.binding.certificate.path != other.binding.certificate.path &&
         share_an_endpoint(one.binding, other.binding);
}

}  // namespace

SameSite::SameSite(const Survey& survey) {
  for (const SurveyedBinding& bound : survey.bindings)
    by_site_[bound.binding.site].push_back(&bound);
}

std::vector<const SurveyedBinding*> SameSite::of(const SurveyedBinding& bound) const {
  std::vector<const SurveyedBinding*> same_site;
  auto site = by_site_.find(bound.binding.site);
  if (site == by_site_.end()) return same_site;
  std::ranges::copy_if(site->second, std::back_inserter(same_site),
                       [&](auto* other) { return are_twins(bound, *other); });
  return same_site;
}

const SurveyedBinding* SameSite::holding(const Thumbprint& thumbprint,
                                         const SurveyedBinding& bound) const {
  for (const SurveyedBinding* twin : of(bound))
    if (twin->holds(thumbprint)) return twin;
  return nullptr;
}

}  // namespace certrebind
