// The survey: which services run, what each binding is configured to serve, and which certificate
// is on disk there. It writes nothing and connects to nothing.
#pragma once

#include <functional>
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
#include "survey/pair_on_disk.h"

namespace certrebind {

struct SurveyedBinding {
  const Service* service = nullptr;
  Binding binding;
  std::shared_ptr<const OnDisk> disk;  // null if the binding names no file
  bool left_alone = false;             // a policy forbids every plan to change it
  // The certificate that the server still has in memory, if another one is on disk, as far as
  // times tell it (observe/history.h).
  std::optional<Thumbprint> not_loaded = {};

  // Only a restart, which nobody allowed, would show a new certificate here.
  bool waits_for_restart() const {
    return !binding.restart_only.empty() && service->reload().restart_only.empty();
  }
  bool holds(const Thumbprint& thumbprint) const {
    return disk && disk->certificate && disk->certificate->thumbprint == thumbprint;
  }
};

// Chooses some bindings of a survey; empty: all of them.
using ChosenBindings = std::function<bool(const SurveyedBinding&)>;

// The real paths of the binding's certificate and key.
std::vector<std::string> bound_files(const Files& files, const Binding& binding);

// What was found about a service in addition to its bindings; see Discovery.
struct SurveyedService {
  const Service* service = nullptr;
  std::vector<std::string> configured_by;
  std::vector<std::string> named;
  std::vector<std::string> error_logs;
};

struct Survey {
  Services services;
  std::vector<SurveyedService> surveyed;  // the services whose configuration can be read
  std::vector<SurveyedBinding> bindings;
  std::vector<SurveyedBinding> shadowed = {};  // named, but never shown: see shadowed.h
  std::vector<std::string> read_whole;         // directories of which a server reads every file
  std::vector<Diagnostic> diagnostics;
  std::unique_ptr<PairsOnDisk> pairs = std::make_unique<PairsOnDisk>();  // read as they are needed

  std::vector<Sighting> sightings() const;
};

// `only` selects services as in find_services. A service whose configuration cannot be read gives a
// diagnostic; if it was named in `only`, it gives an error.
Result<Survey> survey(const Host& host, const std::vector<ServiceId>& only);
// Surveys services that were found already. `named`: the user named them.
Result<Survey> survey_of(Services services, const Host& host, bool named);

// A server that was found before with bindings, and is no longer found.
struct GoneService {
  std::string service;             // kind:path
  std::vector<std::string> sites;  // one for each binding
  Attention attention() const;
};
inline constexpr const char* kGone = "gone ";  // prefix of their attention subjects

// `survey` covers the whole host; `known` is what earlier surveys stored. Returns nothing if some
// server may not be inspected: it may be the missing one.
std::vector<GoneService> gone_services(const Survey& survey, const std::vector<BoundRow>& known);

// Stores what was seen and what is bound, for the next survey and for the daemon. `whole`: every
// service of this host was surveyed. Then a server that is gone needs an operator until it is back
// or forgotten. Returns whether the bindings differ from the stored ones.
Result<bool> remember_survey(Database& database, const Survey& survey, bool whole, WallTime now);

// When all servers of this host were surveyed last, to the minute; unset if never.
Result<std::optional<WallTime>> last_survey(Database& database);

// Does the same after a command that changed nothing, if a database exists and is writable.
Done remember_look(Files& files, const Settings& settings, const Survey& survey, bool whole,
                   WallTime now);

}  // namespace certrebind
