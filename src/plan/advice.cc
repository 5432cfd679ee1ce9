#include "plan/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/kept.h"
#include "store/own.h"
#include "store/stores.h"
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

Advice::Pair Advice::pair_of(const Binding& binding) {
  return {.certificate = binding.certificate.path,
          .key = binding.key.path,
          .has_passphrase = binding.has_passphrase};
}

// Read once: thousands of sites may share one file.
std::shared_ptr<const NewCertificate> Advice::lying_there(const Pair& pair) {
  auto [entry, is_new] = known_.try_emplace(pair);
  if (!is_new) return entry->second;
  auto bundle = read_bundle(host_.files, pair.certificate);
  if (!bundle) return nullptr;
  NewCertificate found;
  found.bundle = std::move(*bundle);
  found.files = {.certificate = pair.certificate, .key = pair.key};
  auto key = host_.files.read(pair.key, kPemLimit);
  if (key) found.key = tried_key_state(*key, found.bundle.leaf);
  const bool unseen = pair.key.empty() || (!key && key.error().code == Code::denied) ||
                      (found.key == KeyState::encrypted && pair.has_passphrase);
  if (unseen) found.key = KeyState::matches;
  entry->second = std::make_shared<const NewCertificate>(std::move(found));
  return entry->second;
}

bool Advice::would_be_refused(const SurveyedBinding& bound, const Served* shown) {
  const std::string shown_der = shown != nullptr ? shown->leaf_der : "";
  const Pair pair = pair_of(bound.binding);
  auto new_one = lying_there(pair);
  auto old_one = new_one ? old_of(shown_der, *new_one, shown) : std::nullopt;
  if (!old_one) return true;
  auto [refused, is_new] =
      refused_.try_emplace({pair, bound.binding.chain.path + '\n' + shown_der});
  if (is_new) {
    NewCertificate sent = *new_one;
    sent.bundle = with_own_chain(host_.files, bound.binding, std::move(sent.bundle));
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

std::string Advice::why_an_outage(const SurveyedBinding& bound, const Served& shown) {
  auto lies = lying_there(pair_of(bound.binding));
  auto old_one = lies ? old_of(shown.leaf_der, *lies) : std::nullopt;
  if (!old_one) return "";
  NewCertificate now;
  now.bundle = old_one->bundle;
  now.files = lies->files;
  if (!first_error(bound.binding, *old_one, std::move(now)).empty()) return "";
  std::string why = first_error(bound.binding, *old_one, *lies);
  return why.empty() ? why_chain_is_lost(bound, shown, *lies) : why;
}

std::optional<Finding> Advice::refusal(const SurveyedBinding& bound, const Served& shown) {
  auto lies = lying_there(pair_of(bound.binding));
  auto old_one = lies ? old_of(shown.leaf_der, *lies) : std::nullopt;
  if (!old_one) return std::nullopt;
  for (const auto& findings : {preflight_but_chain(*old_one, *lies, host_.clock.wall()),
                               preflight_binding(bound.binding, *old_one, *lies)})
    for (const Finding& finding : findings)
      if (finding.severity == Severity::error && finding.risk) return finding;
  return std::nullopt;
}

std::string Advice::why_refused(const SurveyedBinding& bound, const Served& shown) {
  auto refused = refusal(bound, shown);
  return refused ? refused->sentence : "";
}

std::string Advice::next_for(const SurveyedBinding& bound, const Served& shown) {
  std::string next = way_back(bound.binding);
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
  const Bundle after = with_own_chain(host_.files, binding, lies.bundle);
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

std::string Advice::way_back(const Binding& binding) const {
  const std::string& path = binding.certificate.path;
  const std::string renewer = renewer_at(host_.files, settings_.stores, path);
  if (renewer == kOwnKind) return "bring a good certificate with its key: certrebind import FILE";
  return "put a good certificate and key there, or " +
         (renewer.empty() ? "restore the last proven one: certrebind restore "
                          : "have " + renewer + " make a new one: certrebind renew ") +
         shell_quoted(path);
}

}  // namespace certrebind
