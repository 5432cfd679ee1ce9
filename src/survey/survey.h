// The survey: which services run, what each binding is configured to serve, and what lies on disk
// there. Nothing is written or connected to.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lifecycle/attention.h"
#include "service/registry.h"
#include "state/settings.h"
#include "store/bound.h"
#include "store/on_disk.h"
#include "store/sightings.h"

namespace certrebind {

struct SurveyedBinding {
  const Service* service = nullptr;
  Binding binding;
  std::shared_ptr<const OnDisk> disk;  // null where the binding names no file
  bool left_alone = false;             // no plan may change what it holds: a policy says so
  // Set: what the server still has, although another lies on disk.
  std::optional<Thumbprint> not_loaded = {};
  size_t sent_with_it = 0;  // how many certificates a handshake showed with it, itself included

  bool holds(const Thumbprint& thumbprint) const {
    return disk && disk->certificate && disk->certificate->thumbprint == thumbprint;
  }
};

// The real paths of its certificate and its key.
std::vector<std::string> bound_files(const Files& files, const Binding& binding);

// What was found of a service beside its bindings: see Discovery.
struct SurveyedService {
  const Service* service = nullptr;
  std::vector<std::string> configured_by;
  std::vector<std::string> named;
};

struct Survey {
  Services services;
  std::vector<SurveyedService> surveyed;  // those whose configuration can be read
  std::vector<SurveyedBinding> bindings;
  std::vector<std::string> read_whole;  // directories of which some server reads every file
  std::vector<Diagnostic> diagnostics;

  std::vector<Sighting> sightings() const;
};

// `only` as find_services takes it. A service whose configuration cannot be read is a diagnostic,
// unless it was asked for by name.
Result<Survey> survey(const Host& host, const std::vector<ServiceId>& only);
// The same of services that were found. `named`: they were asked for by name.
Result<Survey> survey_of(Services services, bool named);

// A server that was found before, and bound something, and is not found any more.
struct GoneService {
  std::string service;             // kind:path
  std::vector<std::string> sites;  // one for each binding
  Attention attention() const;
};
inline constexpr const char* kGone = "gone ";  // how the subjects of these begin

// Takes a survey of the whole host and what is remembered. Nothing where a server may not be looked
// into: it may be that one.
std::vector<GoneService> gone_services(const Survey& survey, const std::vector<BoundRow>& known);

// Remembers what was seen and what is bound, for the next look and for the daemon. `whole`: every
// service of this host was surveyed; then what is gone needs a person, until it is back or
// forgotten. Gives whether what is bound differs from what was known.
Result<bool> remember_survey(Database& database, const Survey& survey, bool whole, WallTime now);

// The same after a look that changed nothing: if there is a state, and it may be written.
Done remember_look(Files& files, const Settings& settings, const Survey& survey, bool whole,
                   WallTime now);

}  // namespace certrebind
