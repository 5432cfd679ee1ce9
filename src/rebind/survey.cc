#include "rebind/survey.h"

#include "x509/pem.h"

namespace certrebind {

namespace {

using Cache = std::unordered_map<std::string, std::shared_ptr<const OnDisk>>;

std::shared_ptr<const OnDisk> look_once(const Files& files, Cache& cache, const std::string& path) {
  auto [entry, is_new] = cache.try_emplace(path);
  if (is_new) entry->second = std::make_shared<const OnDisk>(look_at(files, path));
  return entry->second;
}

void add_bindings(const Files& files, const Service& service, Discovery discovery, Cache& cache,
                  Survey& into) {
  into.bindings.reserve(into.bindings.size() + discovery.bindings.size());
  for (Binding& binding : discovery.bindings) {
    SurveyedBinding surveyed{.service = &service, .binding = std::move(binding), .disk = nullptr};
    const std::string& path = surveyed.binding.certificate.path;
    if (!path.empty()) surveyed.disk = look_once(files, cache, path);
    into.bindings.push_back(std::move(surveyed));
  }
  for (Diagnostic& diagnostic : discovery.diagnostics)
    into.diagnostics.push_back(std::move(diagnostic));
}

}  // namespace

OnDisk look_at(const Files& files, const std::string& path) {
  OnDisk disk;
  auto bytes = files.read(path, kPemLimit);
  if (!bytes) {
    disk.problem = bytes.error().cause;
    return disk;
  }
  auto block = first_certificate_block(*bytes);
  if (!block) {
    disk.problem = "it holds no certificate";
    return disk;
  }
  auto der = pem_decode(*block);
  auto outline = der ? outline_of(*der) : Result<CertificateOutline>(pass(der));
  if (!outline) {
    disk.problem = "its certificate cannot be read: " + outline.error().cause;
    return disk;
  }
  disk.der = std::move(*der);
  disk.certificate = std::move(*outline);
  return disk;
}

std::vector<Sighting> Survey::sightings() const {
  std::vector<Sighting> seen;
  std::unordered_map<const OnDisk*, bool> done;
  for (const SurveyedBinding& surveyed : bindings)
    if (surveyed.disk && surveyed.disk->certificate && !done[surveyed.disk.get()]) {
      done[surveyed.disk.get()] = true;
      seen.push_back({.path = surveyed.binding.certificate.path,
                      .thumbprint = surveyed.disk->certificate->thumbprint,
                      .der = surveyed.disk->der});
    }
  return seen;
}

Result<Survey> survey(const Host& host, const std::vector<ServiceId>& only) {
  auto services = find_services(host, only);
  if (!services) return pass(services);
  Survey result{.services = std::move(*services), .bindings = {}, .diagnostics = {}};
  result.diagnostics = std::move(result.services.diagnostics);
  Cache cache;
  for (const auto& service : result.services.found) {
    auto discovery = service->bindings();
    if (discovery) {
      add_bindings(host.files, *service, std::move(*discovery), cache, result);
    } else if (!only.empty()) {
      return pass(discovery);
    } else {
      result.diagnostics.push_back({.severity = Severity::error,
                                    .file = service->id().path,
                                    .line = 0,
                                    .column = 0,
                                    .message = discovery.error().message()});
    }
  }
  return result;
}

}  // namespace certrebind
