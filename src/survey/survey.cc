#include "survey/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/parallel.h"
#include "base/text.h"
#include "state/key_value.h"
#include "state/state.h"
#include "survey/absent_addresses.h"
#include "survey/shadowed.h"

namespace certrebind {

namespace {

constexpr const char* kLastSurvey = "survey.last";  // milliseconds since 1970

using Looks = std::unordered_map<std::string, std::shared_ptr<const OnDisk>>;

// Limits the server of an ordinary user: root spends limited time on it, and connects to no UNIX
// socket that the user could not connect to himself.
void limit_to_his_share(const Service& service, Discovery& discovery) {
  constexpr size_t kMostBindings = 1'000;
  if (discovery.bindings.size() > kMostBindings) {
    discovery.diagnostics.push_back(
        {Severity::note, service.id().path, 0, 0,
         fmt::format("it has {} bindings; certrebind reads at most {} of another user's server",
                     discovery.bindings.size(), kMostBindings)});
    discovery.bindings.erase(discovery.bindings.begin() + kMostBindings, discovery.bindings.end());
  }
  for (Binding& binding : discovery.bindings)
    for (Endpoint& endpoint : binding.endpoints)
      if (!endpoint.address.unix_path.empty())
        endpoint.unproven =
            "certrebind does not connect to UNIX sockets of other users and of "
            "containers";
}

// A server may listen in a network namespace of its own.
void set_network(const Service& service, const ProcessTable& processes, Discovery& discovery) {
  if (discovery.bindings.empty()) return;
  const auto signal = service.reload().signal;
  const auto process = signal ? processes.find(signal->pid) : Result<Process>(Process());
  if (!process || !process->has_own_network) return;
  for (Binding& binding : discovery.bindings)
    for (Endpoint& endpoint : binding.endpoints)
      if (endpoint.address.unix_path.empty()) endpoint.address.network_of = process->pid;
}

void add_bindings(const Service& service, Discovery discovery, Survey& into, Looks& looks) {
  looks.merge(discovery.looked_at);
  into.read_whole.insert(into.read_whole.end(), discovery.read_whole.begin(),
                         discovery.read_whole.end());
  into.surveyed.push_back({&service, std::move(discovery.configured_by), std::move(discovery.named),
                           std::move(discovery.error_logs)});
  if (!service.trust().is_ours()) limit_to_his_share(service, discovery);
  into.bindings.reserve(into.bindings.size() + discovery.bindings.size());
  for (Binding& binding : discovery.bindings) {
    into.bindings.push_back({.service = &service, .binding = std::move(binding), .disk = nullptr});
  }
  // Errors in an ordinary user's configuration are only notes: they must not raise alarms in root's
  // monitoring.
  for (Diagnostic& diagnostic : discovery.diagnostics) {
    if (!service.trust().is_ours()) diagnostic.severity = Severity::note;
    into.diagnostics.push_back(std::move(diagnostic));
  }
}

// If users other than root can change what a server of root runs, we do not touch it.
void judge_trust(Service& service, const Discovery& discovery,
                 std::vector<Diagnostic>& diagnostics) {
  Trust trust = service.trust();
  if (trust.is_ours() && trust.doubt.empty())
    trust.doubt = who_else_could_change(service.files(), discovery.obeyed);
  service.set_trust(trust);
  if (!trust.container.empty())
    diagnostics.push_back({Severity::note, service.id().path, 0, 0,
                           "this server runs in a container: certrebind reads it, signals it and "
                           "asks it what it serves, and runs no program of it; so nothing tests "
                           "its configuration before a reload"});
  if (!trust.is_ours() && !trust.owner_writes)
    diagnostics.push_back(
        {Severity::note, service.id().path, 0, 0,
         fmt::format(
             "this server belongs to user {}: certrebind reads, tests and signals it with that "
             "user's rights and changes no file for it; that user can run certrebind",
             trust.owner)});
  if (!trust.doubt.empty())
    diagnostics.push_back(
        {Severity::error, service.id().path, 0, 0,
         fmt::format(
             "certrebind does not touch this server, because users other than root can change "
             "what it runs: {}; next: let only root change that (chown root, chmod go-w)",
             trust.doubt)});
}

// Reads each path once, several in parallel, with the rights of the server's owner.
void look_at_disk(std::vector<SurveyedBinding>& bindings, const Looks& known) {
  struct Look {
    const Files* files;
    const std::string* path;
    OnDisk* into;
  };
  std::map<const Files*, std::unordered_map<std::string_view, std::shared_ptr<OnDisk>>> by_owner;
  std::vector<Look> to_do;
  for (SurveyedBinding& bound : bindings) {
    const std::string& path = bound.binding.certificate.path;
    if (path.empty()) continue;
    if (auto looked = known.find(path); looked != known.end()) {
      bound.disk = looked->second;
      continue;
    }
    const Files& files = bound.service->files();
    auto [entry, is_new] = by_owner[&files].try_emplace(path);
    if (is_new) {
      entry->second = std::make_shared<OnDisk>();
      to_do.push_back({&files, &path, entry->second.get()});
    }
    bound.disk = entry->second;
  }
  for_each_index(to_do.size(), std::thread::hardware_concurrency(), [&](size_t index) {
    const Look& look = to_do[index];
    *look.into = look_at(*look.files, *look.path);
  });
}

}  // namespace

std::vector<std::string> bound_files(const Files& files, const Binding& binding) {
  std::vector<std::string> paths;
  for (const std::string& path : {binding.certificate.path, binding.key.path})
    if (auto real = files.real_path(path)) paths.push_back(std::move(*real));
  return paths;
}

std::vector<Sighting> Survey::sightings() const {
  std::vector<Sighting> seen;
  std::unordered_map<const OnDisk*, bool> done;
  for (const auto* all : {&bindings, &shadowed})
    for (const SurveyedBinding& bound : *all)
      if (bound.disk && bound.disk->certificate && !done[bound.disk.get()]) {
        done[bound.disk.get()] = true;
        seen.push_back({.path = bound.binding.certificate.path,
                        .thumbprint = bound.disk->certificate->thumbprint,
                        .der = bound.disk->der});
      }
  return seen;
}

Attention GoneService::attention() const {
  constexpr size_t kFew = 3;
  return {
      .subject = kGone + service,
      .sentence = fmt::format("{} is not running: it had {} ({})", service,
                              count_of(sites.size(), "binding", "bindings"), few_of(sites, kFew)),
      .next = "start it, or certrebind forget " + shell_quoted(service)};
}

std::vector<GoneService> gone_services(const Survey& survey, const std::vector<BoundRow>& known) {
  std::vector<GoneService> gone;
  if (std::ranges::any_of(survey.diagnostics, &Diagnostic::hidden)) return gone;
  std::set<std::string> found;
  for (const auto& service : survey.services.found) found.insert(service->id().text());
  for (const BoundRow& row : known) {
    // A container that is started again is another process.
    if (found.contains(row.service) || runs_in_container(row.service)) continue;
    auto same = std::ranges::find(gone, row.service, &GoneService::service);
    if (same == gone.end()) same = gone.insert(gone.end(), {row.service, {}});
    same->sites.push_back(row.site);
  }
  return gone;
}

namespace {

Done note_gone(Database& database, const Survey& survey, WallTime now) {
  auto known = bound_rows(database);
  if (!known) return pass(known);
  // If some servers may not be inspected, keep the attention that is noted.
  if (std::ranges::any_of(survey.diagnostics, &Diagnostic::hidden)) return {};
  std::vector<Attention> needed;
  for (const GoneService& gone : gone_services(survey, *known)) needed.push_back(gone.attention());
  return set_attention(database, kGone, needed, now);
}

// To the minute: a write for each survey would cost more than it says.
Done note_survey(Database& database, WallTime now) {
  auto last = last_survey(database);
  if (!last) return pass(last);
  if (*last && now >= **last && now - **last < std::chrono::minutes(1)) return {};
  return database.atomically("note the survey", [&] {
    store_value(database, kLastSurvey, std::to_string(now.time_since_epoch().count()));
  });
}

}  // namespace

Result<std::optional<WallTime>> last_survey(Database& database) {
  return database.guarded("read when the servers were surveyed", [&] {
    auto stored = stored_value(database, kLastSurvey);
    return stored ? std::optional(WallTime(milliseconds(std::stoll(*stored)))) : std::nullopt;
  });
}

Result<bool> remember_survey(Database& database, const Survey& survey, bool whole, WallTime now) {
  std::vector<BoundService> services;
  for (const SurveyedService& each : survey.surveyed)
    services.push_back({each.service->id().text(), {}, each.configured_by});
  for (const SurveyedBinding& bound : survey.bindings) {
    if (bound.binding.certificate.path.empty()) continue;
    std::string id = bound.service->id().text();
    auto service = std::ranges::find(services, id, &BoundService::service);
    service->rows.push_back({.service = id,
                             .site = bound.binding.site,
                             .role = bound.binding.role == Role::server ? "server" : "client",
                             .names = bound.binding.names,
                             .certificate = bound.binding.certificate.path,
                             .key = bound.binding.key.path});
  }
  if (Done seen = remember(database, survey.sightings(), now); !seen) return pass(seen);
  auto differs = remember_bound(database, services, whole);
  if (!differs || !whole) return differs;
  Done noted = note_gone(database, survey, now);
  if (noted) noted = note_survey(database, now);
  if (!noted) return pass(noted);
  return differs;
}

Result<Survey> survey(const Host& host, const std::vector<ServiceId>& only) {
  auto services = find_services(host, only);
  if (!services) return pass(services);
  return survey_of(std::move(*services), host, !only.empty());
}

Result<Survey> survey_of(Services services, const Host& host, bool named) {
  Survey result{.services = std::move(services),
                .surveyed = {},
                .bindings = {},
                .read_whole = {},
                .diagnostics = {}};
  result.diagnostics = std::move(result.services.diagnostics);
  Looks looks;
  for (const auto& service : result.services.found) {
    auto discovery = service->bindings();
    if (discovery) {
      judge_trust(*service, *discovery, result.diagnostics);
      set_network(*service, host.processes, *discovery);
      add_bindings(*service, std::move(*discovery), result, looks);
    } else if (named) {
      return pass(discovery);
    } else {
      result.diagnostics.push_back(
          {.severity = service->trust().is_ours() ? Severity::error : Severity::note,
           .file = service->id().path,
           .message = discovery.error().message()});
    }
  }
  look_at_disk(result.bindings, looks);
  mark_absent_addresses(result);
  set_shadowed_apart(result);
  return result;
}

// This changes nothing that a server reads, and creates no database. If the database is not
// writable, the survey is still valid.
Done remember_look(Files& files, const Settings& settings, const Survey& survey, bool whole,
                   WallTime now) {
  if (!State::open_for_reading(settings)) return {};
  auto database = State::open_beside(files, settings);
  if (!database) return {};
  auto remembered_now = remember_survey(*database, survey, whole, now);
  if (!remembered_now) return pass(remembered_now);
  return {};
}

}  // namespace certrebind
