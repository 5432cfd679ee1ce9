#include "plan/sent_chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/kept.h"

namespace certrebind {

namespace {

// The chain that the files of OLD made the server send: from the files on disk, or from the kept
// ones. This takes precedence over a handshake, because a server may add intermediates itself.
std::optional<Bundle> filed_with_old(const PlanContext& context, const PlannedBinding& planned) {
  const SurveyedBinding& bound = *planned.bound;
  const Binding& binding = bound.binding;
  const OldCertificate& old_one = planned.succession->old_one;
  Bundle sent = old_one.bundle;
  if (old_one.has_file && bound.holds(old_one.thumbprint)) {
    if (!binding.chain.path.empty())
      sent.chain = context.survey.pairs->of(bound).chain();
    else if (binding.leaf_alone)
      sent.chain.clear();
    return sent;
  }
  auto kept = kept_pairs(context.files, context.settings.state_directory, binding.certificate.path);
  if (!kept) return std::nullopt;
  auto pair = std::ranges::find_if(kept->pairs, [&](const KeptPair& each) {
    return each.bundle.leaf.outline.thumbprint == old_one.thumbprint;
  });
  if (pair == kept->pairs.end()) return std::nullopt;
  if (pair->chain.empty()) return pair->bundle;
  auto chain = Bundle::parse(pair->chain);
  if (!chain) return std::nullopt;
  sent.chain = std::move(*chain).certificates();
  return sent;
}

// The chain that a handshake showed with OLD.
std::optional<Bundle> shown_with_old(const PlanContext& context, const PlannedBinding& planned) {
  const OldCertificate& old_one = planned.succession->old_one;
  auto looked = context.served.find(planned.bound);
  if (looked == context.served.end()) return std::nullopt;
  for (const ShownLeaf& shown : looked->second) {
    if (shown.thumbprint != old_one.thumbprint) continue;
    Bundle sent = old_one.bundle;
    sent.chain.clear();
    for (const std::string& der : shown.above)
      if (auto above = Certificate::parse(der)) sent.chain.push_back(std::move(*above));
    return sent;
  }
  return std::nullopt;
}

// The path in a store that holds the same leaf with its whole chain.
std::string whole_chain_of(const PlanContext& context, const PlannedBinding& planned,
                           const Bundle& before) {
  const Thumbprint& leaf = planned.succession->new_thumbprint();
  for (const StoredCertificate& stored :
       stored_certificates(context.files, context.settings.stores)) {
    OnDisk disk = look_at(context.files, stored.certificate_path);
    if (!disk.certificate || disk.certificate->thumbprint != leaf) continue;
    auto bundle = read_bundle(context.files, stored.certificate_path);
    if (bundle && !refuses(preflight_chain(before, true, *bundle, stored.certificate_path)))
      return stored.certificate_path;
  }
  return "";
}

}  // namespace

Bundle to_be_sent(const PlanContext& context, const PlannedBinding& planned) {
  const SurveyedBinding& bound = *planned.bound;
  Bundle sent = planned.succession->new_one.bundle;
  const bool is_separate = !bound.binding.chain.path.empty();
  if (bound.binding.leaf_alone) sent.chain.clear();
  if (planned.kind != PlanKind::reload || (bound.binding.leaf_alone && !is_separate)) return sent;
  PairOnDisk& pair = context.survey.pairs->of(bound);
  if (is_separate || (pair.bundle() && pair.bundle()->leaf.der == sent.leaf.der))
    sent.chain = pair.chain();
  return sent;
}

void check_sent_chain(const PlanContext& context, const PlannedBinding& planned,
                      std::vector<Finding>& findings) {
  const Succession& succession = *planned.succession;
  const SurveyedBinding& bound = *planned.bound;
  const Binding& binding = bound.binding;
  if (succession.is_forced() || binding.role == Role::client) return;
  auto filed = filed_with_old(context, planned);
  auto shown = filed ? std::nullopt : shown_with_old(context, planned);
  size_t sent = shown ? shown->chain.size() + 1 : 0;
  auto stale = context.only_served.find(&bound);
  if (!filed && stale != context.only_served.end() &&
      stale->second.thumbprint == succession.old_one.thumbprint)
    sent = std::max(sent, stale->second.sent);
  Bundle before = filed ? *filed : shown ? *shown : succession.old_one.bundle;
  const bool is_known = filed || shown || succession.old_one.has_file;
  const Bundle after = to_be_sent(context, planned);
  const bool reloads = planned.kind == PlanKind::reload;
  const std::string& path = !reloads                     ? succession.new_one.files.certificate
                            : binding.chain.path.empty() ? binding.certificate.path
                                                         : binding.chain.path;
  std::vector<Finding> found;
  if (sent > 1 && after.connected() == 0 && !after.leaf.is_self_signed())
    found.push_back(
        {Severity::error,
         fmt::format("{} has no intermediate certificate, but {} sends {} with the old certificate",
                     path, binding.site, sent - 1),
         "give the full chain (fullchain.pem): leaf, then intermediates", Risk::chain});
  else
    found = preflight_chain(before, is_known, after, path);
  if (reloads && !binding.chain.path.empty())
    std::ranges::move(preflight_intermediates(after, path, context.now), std::back_inserter(found));
  std::string whole = refuses(found) ? whole_chain_of(context, planned, before) : "";
  for (Finding& finding : found) {
    if (finding.severity == Severity::error && !whole.empty())
      finding.next = fmt::format("a store has the full chain: certrebind rebind {} {}",
                                 succession.old_one.thumbprint.brief(), shell_quoted(whole));
    if (std::ranges::find(findings, finding.sentence, &Finding::sentence) == findings.end())
      findings.push_back(std::move(finding));
  }
}

bool brings_chain(const PlanContext& context, const SurveyedBinding& bound,
                  const Succession& succession) {
  const Binding& binding = bound.binding;
  const std::string& file = succession.new_one.files.certificate;
  if (succession.is_forced() || binding.leaf_alone || !binding.chain.path.empty() ||
      succession.new_one.bundle.connected() == 0 || file == binding.certificate.path)
    return false;
  const Result<Bundle>& lies = context.survey.pairs->of(bound).bundle();
  return lies && lies->connected() < succession.new_one.bundle.connected();
}

}  // namespace certrebind
