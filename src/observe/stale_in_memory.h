// Finds the bindings that serve some OLD from their server's memory while a third certificate lies
// in their file: it was overwritten, and no reload came since.
//
// That a handshake shows OLD is not enough: what answers to a name may be another site's, as where
// a site was added to a configuration and not loaded yet, and the default server answers. So it
// counts where the file changed since the server loaded it, and OLD was the last seen in it before
// or the configuration is the one that was loaded; else it is told as a doubt. Where the file holds
// another succession's OLD, that one decides.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "survey/same_site.h"
#include "survey/succession.h"
#include "transaction/server_processes.h"

namespace certrebind {

class StaleInMemory {
 public:
  // `sightings`: what was seen before, and where. All have to outlive it.
  StaleInMemory(const Host& host, const Prober& prober, const std::vector<Sighting>& sightings,
                const std::vector<Succession>& successions);

  // Whom to ask. A handshake costs, so at first only those with OLD in their past, or for one of
  // whose names OLD is.
  enum class Where { likely, anywhere };
  // Sets `not_loaded` of those that serve the OLD of one of `which`. Doubts become warnings among
  // the diagnostics; gives whether there are any.
  bool mark(Survey& survey, Where where, const std::vector<const Succession*>& which);

 private:
  struct Candidate {
    SurveyedBinding* bound;
    const Succession* succession;
    KeyType type;  // that is asked for
  };
  struct Shown {
    Thumbprint thumbprint;
    bool by_name;  // false: no name was sent
    size_t chain_length;
  };
  std::vector<Candidate> candidates(Survey& survey, Where where,
                                    const std::vector<const Succession*>& which) const;
  bool is_likely(const SurveyedBinding& bound, const Succession& succession) const;
  bool was_last_there(const SurveyedBinding& bound, const Succession& succession) const;
  void ask(const std::vector<Candidate>& candidates);
  const std::vector<Shown>& shown_to(const Candidate& candidate) const;
  // All that is shown, if anything is.
  static bool is_of_a_twin(const std::vector<Shown>& shown, const SameSite& same_site,
                           const SurveyedBinding& bound);
  bool may_hold_old_unseen(const Candidate& candidate);
  bool judge(const Candidate& candidate, Survey& survey);
  std::string doubt(const Candidate& candidate, const Survey& survey);
  bool is_as_loaded(const Survey& survey, const Service& service);

  const Host& host_;
  const Prober& prober_;
  const std::vector<Succession>& successions_;
  ServerProcesses times_;
  // By path where some OLD was seen: all that was seen there, the latest last.
  std::map<std::string, std::vector<Thumbprint>> seen_at_;
  std::map<const Service*, bool> as_loaded_;
  std::map<std::pair<const SurveyedBinding*, KeyType>, std::vector<Shown>> shown_;
  std::set<std::pair<const SurveyedBinding*, const Succession*>> judged_;
};

}  // namespace certrebind
