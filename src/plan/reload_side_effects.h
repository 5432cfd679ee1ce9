// Whether the plan's reload may be, and what it does beyond the plan. A server reads all of its
// files again, also files that somebody changed after its start and that no plan touches. A bad
// certificate in such a file is served to nobody until the next reload.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "observe/asker.h"
#include "plan/advice.h"
#include "plan/plan.h"
#include "survey/key_types.h"
#include "survey/same_site.h"
#include "transaction/server_start_times.h"

namespace certrebind {

class ReloadSideEffects {
 public:
  // All arguments must outlive this object.
  ReloadSideEffects(const Host& host, const Settings& settings, Asker& asker, const Survey& survey)
      : host_(host),
        settings_(settings),
        asker_(asker),
        survey_(survey),
        same_site_(survey),
        rivals_(survey),
        times_(host),
        advice_(host, settings, survey) {}

  // Refuses the plan if its reload would make some site of the server serve a certificate that
  // would be an outage, or that a rebind refuses. If the server can load certificates over a
  // control socket, the plan is only kept from a reload. The same if the reload would lose a
  // certificate that the server renewed in its memory only. Refuses it if only a restart would load
  // the files and no policy allows one now.
  void check(Plan& plan);

 private:
  std::vector<const SurveyedBinding*> not_loaded(const Plan& plan);
  void check_memory(Plan& plan);
  void check_restart(Plan& plan) const;
  void check_waiting(Plan& plan) const;
  void keep_from_reload(Plan& plan, std::vector<Finding> findings) const;
  std::string why_not(const SurveyedBinding& bound, const Served& served);
  bool is_live(const Plan& plan) const;
  const std::optional<WallTime>& changed(const std::string& path);

  const Host& host_;
  const Settings& settings_;
  Asker& asker_;
  const Survey& survey_;
  const SameSite same_site_;
  const Rivals rivals_;
  ServerStartTimes times_;
  Advice advice_;
  std::unordered_map<std::string, std::optional<WallTime>> changed_;  // by path
};

}  // namespace certrebind
