// What a reload brings beside what is planned: a server reads all of its files anew, also those
// that somebody changed since it was started and that no plan touches. What is bad among them is
// served to nobody until somebody reloads.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/advice.h"
#include "plan/plan.h"
#include "survey/key_types.h"
#include "survey/same_site.h"
#include "transaction/server_processes.h"

namespace certrebind {

class ReloadSideEffects {
 public:
  // All have to outlive it.
  ReloadSideEffects(const Host& host, const Settings& settings, const Prober& prober,
                    const Survey& survey)
      : prober_(prober),
        survey_(survey),
        same_site_(survey),
        rivals_(survey),
        files_(host.files),
        times_(host),
        advice_(host, settings) {}

  // Refuses this plan if its reload would have some site of its server serve a certificate that
  // would be an outage, instead of the one that it serves now. Where a server may take new
  // certificates over a socket, it is only kept from a reload.
  void check(Plan& plan);

 private:
  std::vector<const SurveyedBinding*> not_loaded(const Plan& plan);
  std::string why_an_outage(const SurveyedBinding& bound, const Served& served);
  bool is_live(const Plan& plan) const;
  const std::optional<WallTime>& changed(const std::string& path);

  const Prober& prober_;
  const Survey& survey_;
  const SameSite same_site_;
  const Rivals rivals_;
  const Files& files_;
  ServerProcesses times_;
  Advice advice_;
  std::unordered_map<std::string, std::optional<WallTime>> changed_;  // by path
};

}  // namespace certrebind
