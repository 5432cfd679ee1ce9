// Finds the bindings that serve an OLD from their server's memory although their file holds a third
// certificate: the file was overwritten, and no reload came since.
//
// A handshake that shows OLD is not sufficient, because another site may have answered. For
// example, a site was added to the configuration but not loaded yet, and the default server answers
// for its name. So two conditions must hold. The file changed since the server loaded it. And OLD
// was the last certificate seen in the file before, or the server has loaded the current
// configuration. Otherwise the finding is reported as a doubt. If the file holds the OLD of another
// succession, that succession decides.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "observe/asker.h"
#include "survey/same_site.h"
#include "survey/succession.h"
#include "transaction/server_start_times.h"

namespace certrebind {

// The OLD that a server still has in memory for a binding.
struct StaleLeaf {
  Thumbprint thumbprint;
  size_t sent = 0;  // number of certificates that a handshake showed: the leaf and its chain
};
using StaleLeaves = std::map<const SurveyedBinding*, StaleLeaf>;

class StaleInMemory {
 public:
  // `sightings`: which certificates were seen before, and where. All arguments must outlive this
  // object.
  StaleInMemory(const Host& host, Asker& asker, const std::vector<Sighting>& sightings,
                const std::vector<Succession>& successions);

  // Which bindings to ask. A handshake is slow, so the first pass asks only `likely` bindings: OLD
  // was the last certificate at their path, or OLD covers one of their names.
  enum class Where { likely, anywhere };
  // Adds the bindings that serve the OLD of one of `which` to `found`. Returns the doubts, as
  // warnings.
  std::vector<Diagnostic> look(const Survey& survey, Where where,
                               const std::vector<const Succession*>& which);
  const StaleLeaves& found() const { return found_; }

 private:
  struct Candidate {
    const SurveyedBinding* bound;
    const Succession* succession;
    KeyType type;  // key type that the handshake asks for
  };
  struct Shown {
    Thumbprint thumbprint;
    bool by_name;  // false: no name was sent
    size_t chain_length;
  };
  std::vector<Candidate> candidates(const Survey& survey, Where where,
                                    const std::vector<const Succession*>& which) const;
  bool is_likely(const SurveyedBinding& bound, const Succession& succession) const;
  bool was_last_there(const SurveyedBinding& bound, const Succession& succession) const;
  void ask(const std::vector<Candidate>& candidates);
  const std::vector<Shown>& shown_to(const Candidate& candidate) const;
  // True if all answers, if any, are certificates in the files of other bindings of the same site.
  static bool is_of_a_twin(const std::vector<Shown>& shown, const SameSite& same_site,
                           const SurveyedBinding& bound);
  bool may_hold_old_unseen(const Candidate& candidate);
  std::optional<Diagnostic> judge(const Candidate& candidate, const Survey& survey);
  std::string doubt(const Candidate& candidate, const Survey& survey);
  bool is_as_loaded(const Survey& survey, const Service& service);

  const Host& host_;
  Asker& asker_;
  const std::vector<Succession>& successions_;
  ServerStartTimes times_;
  // For each path where an OLD was seen: everything seen there, the latest last.
  std::map<std::string, std::vector<Thumbprint>> seen_at_;
  std::map<const Service*, bool> as_loaded_;
  std::map<std::pair<const SurveyedBinding*, KeyType>, std::vector<Shown>> shown_;
  std::set<std::pair<const SurveyedBinding*, const Succession*>> judged_;
  StaleLeaves found_;
};

}  // namespace certrebind
