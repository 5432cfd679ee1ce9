#include "service/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "service/apache/apache.h"
#include "service/apache/discover.h"
#include "service/contained.h"
#include "service/described/described.h"
#include "service/described/discover.h"
#include "service/haproxy/discover.h"
#include "service/haproxy/haproxy.h"
#include "service/nginx/discover.h"
#include "service/nginx/nginx.h"
#include "sys/proc_files.h"
#include "sys/rights.h"

namespace certrebind {

namespace {

struct Kind {
  const char* name;
  const char* title;
  const char* tried;  // the version
  // Adds every running instance.
  Done (*running)(const Host& host, Services& into);
  // Adds the instance with this configuration file, running or not.
  Done (*named)(const Host& host, const std::string& path, Services& into);
};

template <class KindOfService, class Instance, class... Further>
void add(Instance instance, const Host& host, Services& into, Further&... further) {
  const Trust trust = instance.trust;
  const Files& files = into.files_for(trust, host.files);
  std::unique_ptr<Service> service =
      std::make_unique<KindOfService>(std::move(instance), files, further...);
  if (!trust.container.empty()) {
    service->set_trust(trust);
    service =
        std::make_unique<ContainedService>(std::move(service), container_paths(trust.container));
  }
  into.add(std::move(service), trust);
}

template <class KindOfService, auto find>
Done running(const Host& host, Services& into) {
  auto instances = find(host.processes, host.commands, host.files, into.diagnostics);
  if (!instances) return pass(instances);
  for (auto& instance : *instances) add<KindOfService>(std::move(instance), host, into);
  return {};
}

template <class KindOfService, auto find>
Done named(const Host& host, const std::string& path, Services& into) {
  auto instance = find(path, host.processes, host.commands, host.files, into.diagnostics);
  if (!instance) return pass(instance);
  add<KindOfService>(std::move(*instance), host, into);
  return {};
}

constexpr Kind kKinds[] = {
    {"nginx", "nginx", "1.22.1", running<NginxService, nginx::running_instances>,
     named<NginxService, nginx::instance_for>},
    {"apache", "Apache httpd", "2.4.71", running<ApacheService, apache::running_instances>,
     named<ApacheService, apache::instance_for>},
    {"haproxy", "HAProxy", "2.6.12", running<HaproxyService, haproxy::running_instances>,
     named<HaproxyService, haproxy::instance_for>}};

const Kind* kind_named(const std::string& name) {
  const Kind* kind = std::ranges::find_if(kKinds, [&](const Kind& k) { return name == k.name; });
  return kind == std::end(kKinds) ? nullptr : kind;
}

Done add_described(const described::Descriptions& descriptions, const Host& host, Services& into) {
  auto instances = described::running_instances(descriptions, host, into.diagnostics);
  if (!instances) return pass(instances);
  for (described::Instance& instance : *instances)
    add<DescribedService>(std::move(instance), host, into, host.commands);
  return {};
}

Done add_described(const Host& host, const ServiceId& id, Services& into) {
  for (const auto& description : described::all_descriptions(host, into.diagnostics)) {
    if (description->kind != id.kind) continue;
    auto instance = described::instance_for(description, id.path, host, into.diagnostics);
    if (!instance) return pass(instance);
    add<DescribedService>(std::move(*instance), host, into, host.commands);
    return {};
  }
  return fail(Code::not_found, "find", id.text(), "the kind is not known here");
}

// Each process of a container has a root of its own in /proc, and all have one mount namespace.
bool is_one_place(const Trust& one, const Trust& other) {
  if (one.container == other.container) return true;
  if (one.container.empty() || other.container.empty()) return false;
  auto mounts = [](const Trust& trust) {
    return link_or_empty(parent_directory(trust.container) + "/ns/mnt");
  };
  return mounts(one) == mounts(other);
}

}  // namespace

const Files& Services::files_for(const Trust& trust, const Files& ours) {
  if (trust.is_ours()) return ours;
  auto [entry, is_new] = files_of.try_emplace({trust.owner, trust.container});
  if (is_new) entry->second = files_seen_by(trust.owner, trust.container);
  return *entry->second;
}

void Services::add(std::unique_ptr<Service> service, const Trust& trust) {
  service->set_trust(trust);
  // Limits the work, so that no user can occupy root with a thousand servers.
  constexpr auto kMostOfOneUser = 16;
  auto is_his = [&](const auto& other) {
    return other->trust().owner == trust.owner && is_one_place(other->trust(), trust);
  };
  if (!trust.is_ours() && std::ranges::count_if(found, is_his) >= kMostOfOneUser) {
    std::string message = fmt::format("{} runs more than {} servers: the others are left out",
                                      trust.whose(), kMostOfOneUser);
    if (std::ranges::find(diagnostics, message, &Diagnostic::message) == diagnostics.end())
      diagnostics.push_back({Severity::note, service->id().path, 0, 0, std::move(message)});
    return;
  }
  auto same =
      std::ranges::find_if(found, [&](const auto& other) { return other->id() == service->id(); });
  if (same == found.end() || is_his(*same)) {
    found.push_back(std::move(service));
    return;
  }
  if (trust.is_ours()) std::swap(*same, service);
  diagnostics.push_back({Severity::warning, service->id().path, 0, 0,
                         fmt::format("a process of {} says that it runs with this "
                                     "configuration, too: it is left alone",
                                     service->trust().whose())});
}

std::vector<KnownKind> known_kinds(const Host& host, std::vector<Diagnostic>& mistakes) {
  std::vector<KnownKind> kinds;
  for (const Kind& kind : kKinds) kinds.push_back({kind.name, kind.title, kind.tried, ""});
  for (const auto& each : described::all_descriptions(host, mistakes))
    kinds.push_back({each->kind, each->title, each->tried, each->file});
  return kinds;
}

std::vector<std::string> all_kinds(const Host& host) {
  std::vector<Diagnostic> mistakes;
  std::vector<std::string> names;
  for (KnownKind& kind : known_kinds(host, mistakes)) names.push_back(std::move(kind.kind));
  return names;
}

Result<ServiceId> parse_service_id(const Host& host, const std::string& typed) {
  size_t colon = typed.find(':');
  ServiceId id{.kind = typed.substr(0, colon), .path = {}};
  std::string hint = "write it as KIND:PATH, for example nginx:/etc/nginx/nginx.conf";
  if (colon == std::string::npos || colon + 1 == typed.size())
    return fail(Code::usage, "use --service", typed, "it names no configuration file", hint);
  if (const auto kinds = all_kinds(host); std::ranges::find(kinds, id.kind) == kinds.end())
    return fail(Code::usage, "use --service", typed, "the kind '" + id.kind + "' is not known",
                "known kinds: " + join(kinds, ", "));
  id.path = typed.substr(colon + 1);
  return id;
}

Result<Services> find_services(const Host& host, const std::vector<ServiceId>& only) {
  Services services;
  if (only.empty())
    for (const Kind& kind : kKinds)
      if (Done done = kind.running(host, services); !done) return pass(done);
  if (only.empty())
    if (Done done =
            add_described(described::all_descriptions(host, services.diagnostics), host, services);
        !done)
      return pass(done);
  for (const ServiceId& id : only) {
    const Kind* kind = kind_named(id.kind);
    Done done = kind ? kind->named(host, id.path, services) : add_described(host, id, services);
    if (!done) return pass(done);
  }
  return services;
}

Result<Services> find_services_of(const std::shared_ptr<const described::Description>& description,
                                  const Host& host) {
  Services services;
  if (Done done = add_described({description}, host, services); !done) return pass(done);
  return services;
}

const Service* find_service(const Services& services, const ServiceId& id) {
  for (const auto& service : services.found)
    if (service->id() == id) return service.get();
  return nullptr;
}

}  // namespace certrebind
