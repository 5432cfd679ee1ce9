// The kinds of servers that are known, and which of them run here. A new kind is one line in
// registry.cc.
#pragma once

#include <memory>
#include <vector>

#include "service/service.h"
#include "sys/host.h"

namespace certrebind {

struct Services {
  std::vector<std::unique_ptr<Service>> found;
  std::vector<Diagnostic> diagnostics;  // what runs but cannot be looked after, and why
};

// "nginx:/etc/nginx/nginx.conf" as typed. Code::usage for an unknown kind or a missing path; the
// path is not looked at.
Result<ServiceId> parse_service_id(const std::string& typed);

// All running services, or, where `only` names some, exactly those, running or not.
Result<Services> find_services(const Host& host, const std::vector<ServiceId>& only);

// Null where it is not among them.
const Service* find_service(const Services& services, const ServiceId& id);

}  // namespace certrebind
