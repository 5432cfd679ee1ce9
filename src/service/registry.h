// The supported kinds of servers, and the instances that run on this host. A new kind is a TOML
// description in services.d/, or, if it needs code, a folder here and one line in registry.cc.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "service/service.h"
#include "sys/host.h"

namespace certrebind {

namespace described {
struct Description;
}

struct Services {
  std::vector<std::unique_ptr<Service>> found;
  std::vector<Diagnostic> diagnostics;  // servers that run but cannot be managed, and why
  // The files of this host as each user sees them, for services of other users, and those of
  // containers (Trust::owner, Trust::container).
  std::map<std::pair<uint32_t, std::string>, std::unique_ptr<const Files>> files_of = {};

  // Adds a service with its owner. The owner determines with whose rights its files are read. If
  // two services claim the same configuration, ours is used, because the other one only claims it.
  void add(std::unique_ptr<Service> service, const Trust& trust);
  const Files& files_for(const Trust& trust, const Files& ours);
};

// "nginx:/etc/nginx/nginx.conf" as typed. Code::usage for an unknown kind or a missing path. Does
// not check that the file exists.
Result<ServiceId> parse_service_id(const Host& host, const std::string& typed);

struct KnownKind {
  std::string kind;
  std::string title;
  std::string tried;         // the version on which it was tried; empty: on none
  std::string described_in;  // empty: it has code of its own
};

// All kinds, described ones last, and the descriptions that have a mistake.
std::vector<KnownKind> known_kinds(const Host& host, std::vector<Diagnostic>& mistakes);
// Their names.
std::vector<std::string> all_kinds(const Host& host);

// All running services. If `only` names some, exactly those, running or not.
Result<Services> find_services(const Host& host, const std::vector<ServiceId>& only);

// The running services that this description recognises, whatever others do.
Result<Services> find_services_of(const std::shared_ptr<const described::Description>& description,
                                  const Host& host);

// Null if the service is not in the list.
const Service* find_service(const Services& services, const ServiceId& id);

}  // namespace certrebind
