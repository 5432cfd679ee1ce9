#include "plan/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/kept.h"
#include "store/own.h"
#include "store/stores.h"
#include "survey/policy.h"
#include "sys/files.h"

namespace certrebind {

namespace {

std::optional<OldCertificate> old_of(const std::string& der, const NewCertificate& new_one,
                                     const Served* shown = nullptr) {
  OldCertificate old_one;
  if (der.empty()) {
    old_one.bundle.leaf = new_one.bundle.leaf;
  } else {
    auto leaf = Certificate::parse(der);
    if (!leaf) return std::nullopt;
    old_one.bundle.leaf = std::move(*leaf);
  }
  old_one.thumbprint = old_one.bundle.leaf.outline.thumbprint;
  old_one.has_file = shown != nullptr;  // the chain is known
  if (shown != nullptr)
    for (const std::string& above : shown->above)
      if (auto parsed = Certificate::parse(above)) old_one.bundle.chain.push_back(*parsed);
  return old_one;
}

}  // namespace

// The certificate in the binding's file, as a NEW. A key that we may not read counts as its own.
std::optional<NewCertificate> Advice::lying_there(const SurveyedBinding& bound) const {
  const Binding& binding = bound.binding;
  PairOnDisk& pair = survey_.pairs->of(bound);
  if (!pair.bundle()) return std::nullopt;
  NewCertificate found;
  found.bundle = *pair.bundle();
  found.files = {.certificate = binding.certificate.path, .key = binding.key.path};
  const Result<KeyState>& key = pair.tried_key();
  if (key) found.key = *key;
  if (binding.key.path.empty() || (!key && key.error().code == Code::denied) ||
      is_usable(found.key, binding))
    found.key = KeyState::matches;
  return found;
}

bool Advice::would_be_refused(const SurveyedBinding& bound, const Served* shown) {
  const std::string shown_der = shown != nullptr ? shown->leaf_der : "";
  auto new_one = lying_there(bound);
  auto old_one = new_one ? old_of(shown_der, *new_one, shown) : std::nullopt;
  if (!old_one) return true;
  PairOnDisk& pair = survey_.pairs->of(bound);
  auto [refused, is_new] = refused_.try_emplace({&pair, bound.binding.has_passphrase, shown_der});
  if (is_new) {
    NewCertificate sent = *new_one;
    sent.bundle.chain = pair.chain();
    refused->second = refuses(preflight_certificate(*old_one, sent, host_.clock.wall()));
  }
  return refused->second || refuses(preflight_binding(bound.binding, *old_one, *new_one));
}

std::string Advice::first_error(const Binding& binding, const OldCertificate& old_one,
                                NewCertificate new_one) const {
  new_one.key = KeyState::matches;
  for (const auto& findings : {preflight_itself(old_one, new_one, host_.clock.wall()),
                               preflight_binding(binding, old_one, new_one)})
    for (const Finding& finding : findings)
      if (finding.severity == Severity::error) return finding.sentence;
  return "";
}

std::string Advice::why_an_outage(const SurveyedBinding& bound, const Served& shown) const {
  auto lies = lying_there(bound);
  auto old_one = lies ? old_of(shown.leaf_der, *lies) : std::nullopt;
  if (!old_one) return "";
  NewCertificate now;
  now.bundle = old_one->bundle;
  now.files = lies->files;
  if (!first_error(bound.binding, *old_one, std::move(now)).empty()) return "";
  std::string why = first_error(bound.binding, *old_one, *lies);
  return why.empty() ? why_chain_is_lost(bound, shown, *lies) : why;
}

std::optional<Finding> Advice::refusal(const SurveyedBinding& bound, const Served& shown) const {
  auto lies = lying_there(bound);
  auto old_one = lies ? old_of(shown.leaf_der, *lies) : std::nullopt;
  if (!old_one) return std::nullopt;
  for (const auto& findings : {preflight_but_chain(*old_one, *lies, host_.clock.wall()),
                               preflight_binding(bound.binding, *old_one, *lies)})
    for (const Finding& finding : findings)
      if (finding.severity == Severity::error && finding.risk) return finding;
  return std::nullopt;
}

std::string Advice::why_refused(const SurveyedBinding& bound, const Served& shown) const {
  auto refused = refusal(bound, shown);
  return refused ? refused->sentence : "";
}

std::string Advice::next_for(const SurveyedBinding& bound, const Served& shown) const {
  std::string next = way_back(bound);
  auto refused = refusal(bound, shown);
  if (refused && refused->risk)
    next += fmt::format(
        "; if it is meant: certrebind rebind {} {} --accept={}", shown.thumbprint.brief(),
        shell_quoted(printable(bound.binding.certificate.path)), to_text(*refused->risk));
  return next;
}

// Clients could build a chain from what is served, and cannot from what would be sent. If the kept
// files of the served leaf had no intermediates either, the server adds them itself.
std::string Advice::why_chain_is_lost(const SurveyedBinding& bound, const Served& shown,
                                      const NewCertificate& lies) const {
  const Binding& binding = bound.binding;
  if (binding.role == Role::client || binding.leaf_alone) return "";
  auto before = old_of(shown.leaf_der, lies, &shown);
  if (!before || before->bundle.connected() == 0) return "";
  Bundle after = lies.bundle;
  after.chain = survey_.pairs->of(bound).chain();
  auto kept = kept_pairs(host_.files, settings_.state_directory, binding.certificate.path);
  if (kept && std::ranges::any_of(kept->pairs, [&](const KeptPair& pair) {
        return pair.bundle.leaf.outline.thumbprint == shown.thumbprint && pair.chain.empty() &&
               pair.bundle.connected() == 0;
      }))
    return "";
  for (const Finding& finding :
       preflight_chain(before->bundle, true, after, binding.certificate.path))
    if (finding.severity == Severity::error) return finding.sentence;
  return "";
}

std::string Advice::how_to_load(const SurveyedBinding& bound, const std::string& old_one,
                                const std::string& new_one) const {
  const Reload reload = bound.service->reload();
  const std::string& restart_only =
      bound.waits_for_restart() ? bound.binding.restart_only : reload.restart_only;
  if (restart_only.empty() || reload.live)
    return fmt::format("certrebind rebind {} {}", old_one, new_one);
  const RestartPermit permit = restart_permit(settings_, bound.service->id(), host_.clock.wall());
  if (permit.is_given)
    return "certrebind rebind --pending, which restarts it" +
           (permit.not_now.empty() ? "" : "; " + permit.not_now);
  std::string since;
  if (auto process = host_.processes.find(reload.signal ? reload.signal->pid : 0))
    since = fmt::format(" (process {} runs since {} UTC)", process->pid,
                        to_text(host_.processes.started_at(*process)));
  return fmt::format("restart {}{}: {}", bound.service->id().text(), since, restart_only);
}

std::string Advice::way_back(const SurveyedBinding& bound) const {
  const std::string& path = bound.binding.certificate.path;
  const std::string renewer = renewer_at(host_.files, settings_.stores, path);
  if (renewer.empty() && !bound.service->trust().is_ours())
    return "put a good certificate and key there";
  if (renewer == kOwnKind) return "bring a good certificate with its key: certrebind import FILE";
  const std::string by_hand = "put a good certificate and key there";
  if (!renewer.empty())
    return by_hand + ", or have " + renewer + " make a new one: certrebind renew " +
           shell_quoted(path);
  auto kept = kept_pairs(host_.files, settings_.state_directory, path);
  if (!kept || kept->pairs.empty()) return by_hand;
  return by_hand + ", or restore the last proven one: certrebind restore " + shell_quoted(path);
}

}  // namespace certrebind
