#include "acts/accepted.h"

#include <algorithm>
#include <set>

#include "x509/name_match.h"

namespace certrebind {

namespace {

using Names = std::set<std::string>;

Names uncovered(const Binding& binding, const std::vector<std::string>& patterns) {
  Names names;
  for (const std::string& name : binding.names)
    if (!covers(patterns, name)) names.insert(name);
  return names;
}

// The certificate and those that it succeeded, directly or not.
std::set<std::string> line_of(const History& history, const std::string& thumbprint) {
  std::set<std::string> line = {thumbprint};
  for (bool grown = true; grown;) {
    grown = false;
    for (const KnownSuccession& known : history.successions)
      if (line.contains(known.new_thumbprint))
        grown = line.insert(known.old_thumbprint).second || grown;
  }
  return line;
}

// Of a certificate on disk now, or seen before.
std::vector<std::string> names_of(const History& history, const SurveyedBinding& bound,
                                  const std::string& thumbprint) {
  if (bound.disk->certificate->thumbprint.hex() == thumbprint)
    return bound.disk->certificate->names;
  for (const Sighting& seen : history.sightings)
    if (seen.thumbprint.hex() == thumbprint)
      if (auto outline = outline_of(seen.der)) return outline->names;
  return {};
}

// The names that a person agreed to lose at this binding: OLD covers them, and NEW does not.
Names accepted_names(const History& history, const SurveyedBinding& bound) {
  const std::set<std::string> line = line_of(history, bound.disk->certificate->thumbprint.hex());
  Names names;
  for (const KnownSuccession& known : history.successions) {
    if (!known.accepted.contains(Risk::name_lost) || !line.contains(known.new_thumbprint)) continue;
    const auto old_names = names_of(history, bound, known.old_thumbprint);
    for (const std::string& name :
         uncovered(bound.binding, names_of(history, bound, known.new_thumbprint)))
      if (covers(old_names, name)) names.insert(name);
  }
  return names;
}

}  // namespace

void mark_accepted(const History& history, std::vector<AuditedBinding>& audited) {
  for (AuditedBinding& each : audited)
    for (Remark& remark : each.remarks) {
      const SurveyedBinding& bound = *each.bound;
      if (remark.complaint != Complaint::name_not_covered || !bound.disk ||
          !bound.disk->certificate)
        continue;
      const Names accepted = accepted_names(history, bound);
      const Names lost = uncovered(bound.binding, bound.disk->certificate->names);
      remark.accepted = !lost.empty() && std::ranges::includes(accepted, lost);
    }
}

}  // namespace certrebind
