// The audit: configured, on disk and served, compared for every binding. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "observe/observation.h"
#include "state/settings.h"
#include "survey/survey.h"

namespace certrebind {

// What can be wrong with a binding.
enum class Complaint {
  renewed_not_reloaded,  // a newer certificate lies on disk than is served
  serves_another,        // what is served is not what lies on disk
  unreachable,           // no handshake completes
  not_running,           // the server is down
  no_certificate,        // nothing usable lies at the configured path
  key_mismatch,          // the key on disk is not the certificate's
  expired,
  about_to_expire,
  not_yet_valid,
  name_not_covered,
  chain_incomplete,
  shared_listener,  // processes that are not the server's take its connections, too
  swap_leftover,    // a file is a link of an interrupted swap
};
inline constexpr Complaint kComplaints[] = {Complaint::renewed_not_reloaded,
                                            Complaint::serves_another,
                                            Complaint::unreachable,
                                            Complaint::not_running,
                                            Complaint::no_certificate,
                                            Complaint::key_mismatch,
                                            Complaint::expired,
                                            Complaint::about_to_expire,
                                            Complaint::not_yet_valid,
                                            Complaint::name_not_covered,
                                            Complaint::chain_incomplete,
                                            Complaint::shared_listener,
                                            Complaint::swap_leftover};
// "renewed but not reloaded", "about to expire", …
std::string to_text(Complaint complaint);

// Monitoring plugins' levels, in the order of their exit codes.
enum class Level { ok, warning, critical };
Level level_of(Complaint complaint);

struct Remark {
  Complaint complaint;
  std::string sentence;
  std::string next;  // may be empty
};

struct AuditedBinding {
  const SurveyedBinding* bound = nullptr;
  std::vector<Remark> remarks;
  std::vector<Look> looks;
  Level level() const;
};

// When a certificate counts as about to expire: a part of its lifetime, at most so many days.
bool about_to_expire(const CertificateOutline& certificate, const Settings& settings, WallTime now);

// What only a person can put right, as no renewal of what is there does.
bool needs_a_person(Complaint complaint);

// The one judgement of what is configured, on disk and served: `check` prints it, and what
// `rebind --pending` finds and `status` shows is taken from it. `looks` as look_at_all gives.
std::vector<AuditedBinding> judge(const Host& host, const Settings& settings, const Survey& survey,
                                  std::vector<std::vector<Look>> looks);

// look_at_all, judged.
std::vector<AuditedBinding> audit(const Host& host, const Settings& settings, const Prober& prober,
                                  const Survey& survey, const LookProgress& progress);

}  // namespace certrebind
