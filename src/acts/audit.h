// The audit compares, for every binding, what is configured, on disk and served. Changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lifecycle/attention.h"
#include "observe/observation.h"
#include "plan/pending.h"
#include "state/settings.h"
#include "survey/survey.h"

namespace certrebind {

// What may be wrong with a binding.
enum class Complaint {
  renewed_not_reloaded,  // the certificate on disk is newer than the served one
  copy_stale,            // the file is a copy, and its original was renewed
  only_in_memory,        // the server renewed it itself, and the file is older
  serves_another,        // the served certificate is not the one on disk
  unreachable,           // no handshake completes
  not_running,           // the server is down
  no_certificate,        // no usable certificate at the configured path
  key_mismatch,          // the key on disk does not match the certificate
  expired,
  about_to_expire,
  almost_expired,  // fewer days are left than --critical says
  not_yet_valid,
  name_not_covered,
  chain_incomplete,
  shared_listener,  // foreign processes also take its connections
  swap_leftover,    // a file is still a link of an interrupted swap
  unseen,           // neither a file nor a handshake shows a certificate
};
inline constexpr int kComplaints = static_cast<int>(Complaint::unseen) + 1;
// "renewed but not reloaded", "about to expire", …
std::string to_text(Complaint complaint);

// The levels of monitoring plugins, in the order of their exit codes.
enum class Level { ok, warning, critical };
Level level_of(Complaint complaint);

struct Remark {
  Complaint complaint;
  std::string sentence;
  std::string next;       // may be empty
  bool accepted = false;  // by a person: it is said, and is no problem
};

struct AuditedBinding {
  const SurveyedBinding* bound = nullptr;
  std::vector<Remark> remarks;
  std::vector<Look> looks;
  Level level() const;
};

// A certificate counts as about to expire in the last part of its lifetime, but at most so many
// days before its end.
bool about_to_expire(const CertificateOutline& certificate, const Settings& settings, WallTime now);
// What its validity is to be complained of, if anything.
std::optional<Complaint> complaint_of_validity(const CertificateOutline& certificate,
                                               const Settings& settings, WallTime now);

// True if only a person can fix this, because a renewal does not.
bool needs_a_person(Complaint complaint);

// What an attention item says of a configuration that cannot be read; the diagnostic follows.
inline constexpr const char* kUnread =
    "part of the configuration cannot be read, so differences there are unknown: ";

// The remarks as attention items, one for each server and complaint: its first sentence stands for
// all others. `wanted` chooses the remarks, `subject` names an item. `since` is not set.
std::vector<Attention> attention_for(
    const std::vector<AuditedBinding>& audited,
    const std::function<bool(const AuditedBinding&, Complaint)>& wanted,
    const std::function<std::string(const std::string& service, Complaint)>& subject);

// The only judgement of what is configured, on disk and served: `check` prints it, and `rebind
// --pending` and `status` use it. `looks` as returned by look_at_all.
std::vector<AuditedBinding> judge(const Host& host, const Settings& settings, const Survey& survey,
                                  std::vector<std::vector<Look>> looks);

// Adds a remark to each binding whose file holds the OLD of a pair, while NEW is elsewhere.
void mark_stale_copies(const Settings& settings, const Pending& pending,
                       std::vector<AuditedBinding>& audited);

}  // namespace certrebind
