#include "acts/site_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "plan/store_hints.h"
#include "survey/lookup.h"

namespace certrebind {

namespace {

using SiteBindings = std::set<const SurveyedBinding*>;

// The certificates that a site serves now, with their key types.
using ServedCertificates = std::map<Thumbprint, KeyType>;

bool is_held_elsewhere(const Survey& survey, const SurveyedBinding& bound,
                       const Thumbprint& thumbprint) {
  auto is_other = [&](const SurveyedBinding& each) {
    return each.holds(thumbprint) &&
           each.binding.certificate.path != bound.binding.certificate.path;
  };
  return std::ranges::any_of(survey.bindings, is_other) ||
         std::ranges::any_of(survey.shadowed, is_other);
}

// A certificate that is on disk at another binding comes from there: perhaps another site answered.
void add_served_by(const Survey& survey, const SurveyedBinding& bound,
                   const std::vector<Look>& looks, ServedCertificates& served) {
  const size_t before = served.size();
  for (const Look& look : looks) {
    if (!look.served || is_held_elsewhere(survey, bound, look.served->thumbprint)) continue;
    if (auto leaf = outline_of(look.served->leaf_der))
      served.emplace(leaf->thumbprint, leaf->key_type);
  }
  if (served.size() == before && bound.disk && bound.disk->certificate)
    served.emplace(bound.disk->certificate->thumbprint, bound.disk->certificate->key_type);
}

Result<CertificateOutline> outline_of_new(const Looking& at, const History& history,
                                          const Survey& survey, const std::string& typed) {
  if (is_path(typed)) {
    auto bundle = read_bundle(at.host.files, typed);
    return bundle ? Result<CertificateOutline>(bundle->leaf.outline) : pass(bundle);
  }
  KnownCertificates known;
  known.add_stored(at.host.files, at.settings.stores);
  known.add_bound(survey);
  known.add_seen(history.sightings);
  auto found = known.find(typed);
  return found ? Result<CertificateOutline>(found->outline) : pass(found);
}

std::string choices(const ServedCertificates& served) {
  std::vector<std::string> texts;
  for (const auto& [thumbprint, type] : served) texts.push_back(thumbprint.brief());
  return join(texts, ", ");
}

// The one certificate that NEW replaces; unset if the site serves NEW already.
Result<std::optional<Thumbprint>> old_for(const SiteRequest& request,
                                          const CertificateOutline& new_one,
                                          ServedCertificates served) {
  const std::string site = printable(request.site);
  if (served.empty())
    return fail(Code::failed, "rebind", site, "it serves no certificate that is known",
                "name OLD: certrebind rebind OLD NEW");
  const bool is_served = served.erase(new_one.thumbprint) > 0;
  ServedCertificates alike = served;
  std::erase_if(alike, [&](const auto& each) { return each.second != new_one.key_type; });
  // Beside NEW itself, only another server's certificate of its type is left to be replaced.
  if (is_served && alike.empty()) return std::nullopt;
  const ServedCertificates& left = served.size() == 1 ? served : alike;
  if (left.size() == 1) return left.begin()->first;
  return fail(Code::failed, "rebind", site,
              fmt::format("it serves {}, and NEW may replace any of them",
                          choices(alike.empty() ? served : alike)),
              fmt::format("name OLD by its thumbprint: certrebind rebind {} {}",
                          served.begin()->first.brief(), shell_quoted(printable(request.new_one))));
}

Error only_of_a_user(const std::string& site, const SurveyedBinding& bound) {
  return {Code::failed, "rebind", printable(site), "only a server of another user has this site",
          "if that one is meant: --service " + shell_quoted(printable(bound.service->id().text()))};
}

bool has_pair(const Pending& pending, const std::string& old_one) {
  return std::ranges::find(pending.pairs, old_one, &RequestedPair::old_one) != pending.pairs.end();
}

class SiteFinder {
 public:
  SiteFinder(const Looking& at, const History& history) : at_(at), history_(history) {}

  Result<SiteLook> find(const std::vector<SiteRequest>& requests) {
    auto surveyed = survey_for_pending(at_, history_);
    if (!surveyed) return pass(surveyed);
    for (const SiteRequest& request : requests) {
      const auto all = bindings_of_site(*surveyed, request.site);
      if (all.empty()) return fail(no_such_site(*surveyed, "rebind", request.site));
      const auto meant = at_.only.empty() ? our_bindings_of_site(*surveyed, request.site) : all;
      if (meant.empty()) return fail(only_of_a_user(request.site, *all.front()));
      meant_.emplace_back(meant.begin(), meant.end());
      all_.insert(meant.begin(), meant.end());
      if (request.new_one.empty()) open_.insert(meant.begin(), meant.end());
    }
    auto is_open = [&](const SurveyedBinding& bound) { return open_.contains(&bound); };
    SiteLook found{.look = find_pending_among(at_, history_, std::move(*surveyed), is_open),
                   .bindings = {}};
    for (const SurveyedBinding& bound : found.look.survey.bindings)
      if (all_.contains(&bound)) found.bindings.push_back(&bound);
    add_wider(found.look);
    for (RequestedPair& pair : found.look.pending.pairs)
      pair.accepted.insert(requests.front().accepted.begin(), requests.front().accepted.end());
    if (Done added = add_named(requests, found.look); !added) return pass(added);
    return found;
  }

 private:
  // Nothing takes these by itself; a person who names the site wants its newest certificate.
  void add_wider(PendingLook& look) const;
  Done add_named(const std::vector<SiteRequest>& requests, PendingLook& look);

  const Looking& at_;
  const History& history_;
  std::vector<SiteBindings> meant_;  // for each request
  SiteBindings all_;
  SiteBindings open_;  // NEW is to be found
};

void SiteFinder::add_wider(PendingLook& look) const {
  for (const WiderCertificate& wider :
       wider_certificates(at_.host.files, at_.settings, look.survey)) {
    const std::string& path = wider.bound->binding.certificate.path;
    const std::string old_one = wider.bound->disk->certificate->thumbprint.hex();
    const bool is_meant = std::ranges::any_of(open_, [&](const SurveyedBinding* bound) {
      return bound->binding.certificate.path == path;
    });
    if (is_meant && !has_pair(look.pending, old_one))
      look.pending.pairs.push_back({.old_one = old_one, .new_one = wider.path});
  }
}

Done SiteFinder::add_named(const std::vector<SiteRequest>& requests, PendingLook& look) {
  const SiteBindings& all = all_;
  const auto looks = look_at_all(at_.asker, look.survey, {}, [&](const SurveyedBinding& bound) {
    return all.contains(&bound);
  });
  for (size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].new_one.empty()) continue;
    ServedCertificates served;
    for (size_t k = 0; k < look.survey.bindings.size(); ++k)
      if (meant_[i].contains(&look.survey.bindings[k]))
        add_served_by(look.survey, look.survey.bindings[k], looks[k], served);
    auto new_one = outline_of_new(at_, history_, look.survey, requests[i].new_one);
    if (!new_one) return pass(new_one);
    auto old_one = old_for(requests[i], *new_one, std::move(served));
    if (!old_one) return pass(old_one);
    if (*old_one)
      look.pending.pairs.push_back({.old_one = (*old_one)->hex(),
                                    .new_one = requests[i].new_one,
                                    .key_path = requests[i].key_path,
                                    .accepted = requests[i].accepted});
  }
  return {};
}

}  // namespace

Result<SiteLook> look_at_sites(const Looking& at, const History& history,
                               const std::vector<SiteRequest>& requests) {
  Settings settings = at.settings;
  settings.policies.clear();
  const Looking without_policies{
      .host = at.host, .settings = settings, .asker = at.asker, .only = at.only};
  return SiteFinder(without_policies, history).find(requests);
}

}  // namespace certrebind
