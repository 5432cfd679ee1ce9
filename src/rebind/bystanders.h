// What a reload brings beside what is planned: a server reads all of its files anew, also those
// that somebody changed since it was started and that no plan touches. What is bad among them is
// served to nobody until somebody reloads.
#pragma once

#include <vector>

#include "rebind/advice.h"
#include "rebind/plan.h"
#include "rebind/serving_times.h"

namespace certrebind {

class Bystanders {
 public:
  // All have to outlive it.
  Bystanders(const Host& host, const Settings& settings, const Prober& prober, const Survey& survey)
      : prober_(prober),
        survey_(survey),
        files_(host.files),
        times_(host),
        advice_(host, settings) {}

  // Refuses this plan if its reload would have some site of its server serve a certificate that
  // would be an outage, instead of the one that it serves now. A server that takes new certificates
  // over a socket reloads nothing.
  void check(Plan& plan);

 private:
  std::vector<const SurveyedBinding*> not_loaded(const Plan& plan);
  bool is_live(const Plan& plan) const;
  bool changed_since(const std::string& path, WallTime since);

  const Prober& prober_;
  const Survey& survey_;
  const Files& files_;
  ServingTimes times_;
  Advice advice_;
};

}  // namespace certrebind
