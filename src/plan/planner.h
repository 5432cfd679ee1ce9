// The plan: what a rebind would do to one service, computed by the same code in a dry run and in
// earnest.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "survey/identify.h"
#include "transaction/mode_change.h"
#include "plan/preflight.h"
#include "proof/proof.h"
#include "survey/survey.h"
#include "state/settings.h"

namespace certrebind {

enum class PlanKind {
  reload,   // NEW already lies at the configured path
  repoint,  // the directives are made to name NEW's files
  rewrite,  // the bound files are built anew with NEW
};
std::string to_text(PlanKind kind);

// Which kind the user prefers where both are possible.
enum class Preference { automatic, repoint, rewrite };

// OLD is to be succeeded by NEW, as declared.
struct Succession {
  OldCertificate old_one;
  NewCertificate new_one;
  std::string how = "declared";
  std::string renewer = {};

  const Thumbprint& new_thumbprint() const { return new_one.bundle.leaf.outline.thumbprint; }
  // OLD = NEW: nothing is replaced, a reload and proof are all that is wanted.
  bool is_forced() const { return old_one.thumbprint == new_thumbprint(); }
};

// Whether its file holds the OLD of one of these.
bool holds_some_old(const SurveyedBinding& bound, const std::vector<Succession>& successions);

struct PlannedBinding {
  const SurveyedBinding* bound = nullptr;
  const Succession* succession = nullptr;
  PlanKind kind = PlanKind::reload;
  // Where the server shows OLD from its memory only: what lies in the bound file instead.
  std::shared_ptr<const Certificate> never_loaded = {};

  // What the bound file is to hold again if all is taken back.
  const Certificate& replaced() const {
    return never_loaded ? *never_loaded : succession->old_one.bundle.leaf;
  }
};

// A file that the swap replaces.
struct PlannedFile {
  std::string path;  // real
  // The directory in which it is made ready: as staging_directory (sys/replace.h) gives.
  std::string staging = {};
  std::string before;  // what it holds now
  std::string after;
  bool secret = false;  // holds a private key, or is a certificate file that is replaced whole
  std::string what;     // for secret files, what is put there: "certificate 1a2b…", "private key"
  std::string note = {};                // what a person should know of it
  bool is_absent = false;               // there is none now: `before` is empty
  std::optional<ModeChange> mode = {};  // unset: it stays
};

struct Plan {
  const Service* service = nullptr;
  std::vector<PlannedBinding> bindings;
  std::vector<PlannedFile> files;  // ordered by path
  std::vector<Expectation> expectations;
  std::vector<Expectation> others;    // of the service's sites that nothing is changed for
  std::vector<Finding> findings;      // what was refused, warned of, or noted
  std::vector<std::string> unproven;  // endpoints that no handshake can reach, with the reason

  // Why a reload would be an outage for others, where a socket may do; and what to do.
  Finding no_reload = {};

  bool does_nothing() const { return bindings.empty(); }
  // What the server is to take up: the files that are replaced, and those that lie there already.
  // Real paths.
  std::vector<std::string> loads(const Files& on) const;
  // Nothing of it is to be done, for these reasons or those that it has already.
  void refuse(std::vector<Finding> reasons);
  // It may only be carried out without a reload, for this reason.
  void keep_from_reload(Finding reason);
};

// What is served where disk and NEW agree already, as far as it was asked.
struct ShownLeaf {
  Thumbprint thumbprint;
  size_t chain_length = 0;              // the leaf included
  std::vector<std::string> above = {};  // DER of what came behind it
};
using ServedNow = std::map<const SurveyedBinding*, std::vector<ShownLeaf>>;

struct PlanContext {
  const Files& files;
  const Settings& settings;
  const Survey& survey;
  const std::vector<Sighting>& sightings;
  const ServedNow& served;
  Preference preference = Preference::automatic;
  WallTime now;
};

// Bindings whose file holds some NEW already: whether they are to be reloaded, only what they serve
// tells.
std::vector<const SurveyedBinding*> needs_look(const Survey& survey,
                                               const std::vector<Succession>& successions);

// One plan for each service that has to do with one of the successions, in the survey's order. A
// succession that is refused for a service is left out of its plan, with its findings; the rest of
// the plan stands.
std::vector<Plan> make_plans(const PlanContext& context,
                             const std::vector<Succession>& successions);

// The handshakes that would show what a binding serves now.
std::vector<Expectation> expectations_of(const Binding& binding, const Thumbprint& old_thumbprint,
                                         KeyType old_type, const Thumbprint& new_thumbprint,
                                         KeyType new_type);

}  // namespace certrebind
