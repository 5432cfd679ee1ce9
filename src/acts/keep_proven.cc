#include "acts/keep_proven.h"

#include <algorithm>
#include <set>
#include <utility>

#include "plan/pending.h"

namespace certrebind {

namespace {

// No handshake shows a client certificate: it counts as proven if it is on disk.
bool is_proven(const SurveyedBinding& bound, const std::vector<Look>& looks) {
  if (!bound.disk || !bound.disk->certificate) return false;
  if (bound.binding.role == Role::client) return true;
  return !looks.empty() && std::ranges::all_of(looks, [&](const Look& look) {
    return look.served && look.served->thumbprint == bound.disk->certificate->thumbprint;
  });
}

// Keeps each pair once: thousands of sites may share one wildcard.
class Keeper {
 public:
  Keeper(const Host& host, const Settings& settings) : host_(host), settings_(settings) {}

  // An expired pair is useless for a restore, and would push out a good one.
  Done keep(const KeptPaths& paths, const CertificateOutline& proven) {
    if (proven.not_after < host_.clock.wall()) return {};
    if (!kept_.insert({paths, proven.thumbprint}).second) return {};
    return keep_pair(host_.files, settings_.state_directory, paths, proven.thumbprint);
  }
  Done keep_where_proven(const SurveyedBinding& bound, const std::vector<Look>& looks) {
    if (!bound.service->trust().is_ours()) return {};  // his keys are his
    if (is_left_alone(settings_, bound) || !is_proven(bound, looks)) return {};
    return keep(kept_paths_of(bound.binding), *bound.disk->certificate);
  }

 private:
  const Host& host_;
  const Settings& settings_;
  std::set<std::pair<KeptPaths, Thumbprint>> kept_;
};

}  // namespace

KeptPaths kept_paths_of(const Binding& binding) {
  return {.certificate = binding.certificate.path,
          .key = binding.key.path,
          .chain = binding.chain.path};
}

void tell_if_not(const Done& kept, TransactionResult& account) {
  if (!kept)
    account.text +=
        "\ncertrebind could not keep a copy for a later restore: " + kept.error().message();
}

Done keep_served(const Host& host, const Settings& settings, const Survey& survey,
                 const std::vector<std::vector<Look>>& looks) {
  Keeper keeper(host, settings);
  for (size_t i = 0; i < survey.bindings.size(); ++i)
    if (Done kept = keeper.keep_where_proven(survey.bindings[i], looks[i]); !kept) return kept;
  return {};
}

Done keep_served(const Host& host, const Settings& settings,
                 const std::vector<AuditedBinding>& audited) {
  Keeper keeper(host, settings);
  for (const AuditedBinding& each : audited)
    if (Done kept = keeper.keep_where_proven(*each.bound, each.looks); !kept) return kept;
  return {};
}

Done keep_planned(const Host& host, const Settings& settings, const Plan& plan) {
  Keeper keeper(host, settings);
  for (const PlannedBinding& planned : plan.bindings) {
    if (!planned.bound->service->trust().is_ours()) continue;
    const Binding& binding = planned.bound->binding;
    const NewCertificate& new_one = planned.succession->new_one;
    KeptPaths paths = kept_paths_of(binding);
    if (planned.kind == PlanKind::repoint)
      paths = {.certificate = new_one.files.certificate, .key = new_one.files.key};
    if (Done kept = keeper.keep(paths, new_one.bundle.leaf.outline); !kept) return kept;
  }
  return {};
}

Done keep_put_back(const Host& host, const Settings& settings, const Survey& survey,
                   const ServiceId& service, const std::vector<std::string>& thumbprints) {
  Keeper keeper(host, settings);
  for (const SurveyedBinding& bound : survey.bindings) {
    if (!bound.service->trust().is_ours() || bound.service->id() != service || !bound.disk ||
        !bound.disk->certificate)
      continue;
    const CertificateOutline& lies = *bound.disk->certificate;
    if (std::ranges::find(thumbprints, lies.thumbprint.hex()) == thumbprints.end()) continue;
    if (Done kept = keeper.keep(kept_paths_of(bound.binding), lies); !kept) return kept;
  }
  return {};
}

}  // namespace certrebind
