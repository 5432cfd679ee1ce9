#include "cli/event_filter.h"

#include <algorithm>

#include "x509/name_match.h"

namespace certrebind {

namespace {

bool is_of_site(const Event& event, const std::string& site) {
  return std::ranges::find(event.names, site) != event.names.end() || covers(event.names, site);
}

}  // namespace

bool passes(const EventFilter& filter, const Event& event) {
  if (level_of(event.id) < filter.least) return false;
  if (filter.since && event.at < *filter.since) return false;
  if (!filter.thumbprint.empty() && !event.old_thumbprint.starts_with(filter.thumbprint) &&
      !event.new_thumbprint.starts_with(filter.thumbprint))
    return false;
  if (!filter.site.empty() && !is_of_site(event, filter.site)) return false;
  return filter.services.empty() || std::ranges::any_of(filter.services, [&](const ServiceId& id) {
           return id.text() == event.service;
         });
}

}  // namespace certrebind
