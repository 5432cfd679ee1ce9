// The kinds of servers that are known, and which of them run here. A new kind is one line in
// registry.cc.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "service/service.h"
#include "sys/host.h"

namespace certrebind {

struct Services {
  std::vector<std::unique_ptr<Service>> found;
  std::vector<Diagnostic> diagnostics;  // what runs but cannot be looked after, and why
  // The files of this host as those see them whose services are not ours.
  std::map<uint32_t, std::unique_ptr<const Files>> files_of = {};

  // Takes it in with whose it is; the files that it is to read are chosen by that. Of two that say
  // they run with one configuration the one that is ours counts: the other only says so.
  void add(std::unique_ptr<Service> service, const Trust& trust);
  const Files& files_for(const Trust& trust, const Files& ours);
};

// "nginx:/etc/nginx/nginx.conf" as typed. Code::usage for an unknown kind or a missing path; the
// path is not looked at.
Result<ServiceId> parse_service_id(const std::string& typed);

// All running services, or, where `only` names some, exactly those, running or not.
Result<Services> find_services(const Host& host, const std::vector<ServiceId>& only);

// Null where it is not among them.
const Service* find_service(const Services& services, const ServiceId& id);

}  // namespace certrebind
