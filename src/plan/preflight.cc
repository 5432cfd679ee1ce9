#include "plan/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sys/replace.h"
#include "x509/cipher_list.h"
#include "x509/issuer.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

// When the key type changes, strengths above this count as equal: RSA 4096 to P-256 is no step
// down.
constexpr int kStrongBits = 128;
using Findings = std::vector<Finding>;

void refuse(Findings& findings, std::string sentence, std::string next,
            std::optional<Risk> risk = {}) {
  findings.push_back({Severity::error, std::move(sentence), std::move(next), risk});
}

std::string day(WallTime time) {
  return to_text(time) + " UTC";
}

void check_key(const NewCertificate& new_one, Passphrase passphrase, Findings& findings) {
  const std::string& path = new_one.files.key;
  switch (new_one.key) {
    case KeyState::matches:
      return;
    case KeyState::damaged:
      return refuse(findings,
                    fmt::format("the key in {} is damaged: the certificate does not verify its "
                                "signatures",
                                path),
                    "restore the key from a backup, or renew with a new key");
    case KeyState::of_another:
      return refuse(findings, fmt::format("the key in {} belongs to another certificate", path),
                    "give the right key with --key FILE");
    case KeyState::encrypted:
      if (passphrase == Passphrase::known) return;
      return refuse(
          findings,
          fmt::format("the key in {} is encrypted, and the server has no passphrase for it", path),
          fmt::format("decrypt it: openssl pkey -in {} -out FILE", path));
    case KeyState::unreadable:
      return refuse(findings, fmt::format("the key in {} cannot be read as a private key", path),
                    "give the right key with --key FILE");
    case KeyState::none:
      return refuse(findings, fmt::format("there is no private key in {} or beside it", path),
                    "give the key with --key FILE");
  }
}

// `openssl req -x509` marks its certificates as CA, and many self-signed server certificates were
// made this way. If OLD was one, NEW may be one.
bool is_for_a_server(const OldCertificate& old_one, const Certificate& new_leaf) {
  const Certificate& old_leaf = old_one.bundle.leaf;
  return !new_leaf.is_ca ||
         (new_leaf.is_self_signed() && old_leaf.is_ca && old_leaf.is_self_signed());
}

void check_shape(const OldCertificate& old_one, const NewCertificate& new_one, Findings& findings) {
  const std::string& path = new_one.files.certificate;
  if (new_one.bundle.leaf_not_first()) {
    refuse(findings,
           fmt::format("{} does not begin with the leaf: its first certificate is {}", path,
                       printable(new_one.bundle.leaf.subject_line)),
           "put the leaf first, then the intermediates in order");
  } else if (!is_for_a_server(old_one, new_one.bundle.leaf)) {
    refuse(findings, fmt::format("{} is a CA certificate, not a server certificate", path),
           "give the leaf certificate");
  }
}

bool has_good_shape(const OldCertificate& old_one, const NewCertificate& new_one) {
  Findings findings;
  check_shape(old_one, new_one, findings);
  return !refuses(findings);
}

void check_validity(const NewCertificate& new_one, WallTime now, Findings& findings) {
  const CertificateOutline& leaf = new_one.bundle.leaf.outline;
  if (now > leaf.not_after)
    refuse(findings, fmt::format("the new certificate expired on {}", day(leaf.not_after)),
           "renew it first");
  if (now < leaf.not_before)
    refuse(findings,
           fmt::format("the new certificate is not valid before {}", day(leaf.not_before)),
           "wait until then, or check this machine's clock with: date -u");
}

// One that was also issued earlier is no renewal: somebody put a backup back.
void check_lifetime(const OldCertificate& old_one, const NewCertificate& new_one,
                    Findings& findings) {
  const CertificateOutline& old_leaf = old_one.bundle.leaf.outline;
  const CertificateOutline& new_leaf = new_one.bundle.leaf.outline;
  if (new_leaf.not_after >= old_leaf.not_after) return;
  std::string sentence = fmt::format("the new certificate expires on {}, before the old one ({})",
                                     day(new_leaf.not_after), day(old_leaf.not_after));
  if (new_leaf.not_before < old_leaf.not_before)
    refuse(findings, sentence + ", and was issued before it",
           "check that OLD and NEW are not swapped", Risk::shorter);
  else
    findings.push_back({Severity::warning, std::move(sentence), "", Risk::shorter});
}

void check_strength(const Certificate& old_leaf, const Certificate& new_leaf, Findings& findings) {
  bool same_type = old_leaf.key_type == new_leaf.key_type;
  bool weaker = same_type ? new_leaf.key_bits < old_leaf.key_bits
                          : std::min(new_leaf.security_bits, kStrongBits) <
                                std::min(old_leaf.security_bits, kStrongBits);
  if (weaker)
    refuse(findings,
           fmt::format("the new key ({}) is weaker than the old one ({})", new_leaf.key_text(),
                       old_leaf.key_text()),
           "issue the certificate with a key at least as strong", Risk::weaker_key);
  if (!same_type && !weaker)
    findings.push_back(
        {Severity::note,
         fmt::format("the key changes from {} to {}: very old clients may not support it",
                     old_leaf.key_text(), new_leaf.key_text()),
         ""});
}

// Finds intermediates that stop clients from building a chain, whatever root it ends at (RFC 5280
// section 6.1).
void check_intermediates(const Bundle& bundle, const std::string& path, WallTime now,
                         Findings& findings) {
  for (size_t i = 0; i < bundle.connected(); ++i) {
    const Certificate& above = bundle.chain[i];
    std::string name = printable(above.subject_line);
    if (!above.is_ca && !above.is_self_signed())  // version 1 roots do not say that they are a CA
      refuse(findings,
             fmt::format("{} in {} issued the certificate before it, but is not a CA", name, path),
             "use the chain from the issuer (fullchain.pem)");
    bool over = now > above.outline.not_after;
    // Further up, a client may know another path.
    if (over && i == 0)
      refuse(findings,
             fmt::format("the intermediate {} in {} expired on {}", name, path,
                         day(above.outline.not_after)),
             "get the current chain from the issuer");
    else if (over)
      findings.push_back(
          {Severity::warning,
           fmt::format("{} in {} expired on {}", name, path, day(above.outline.not_after)), ""});
  }
}

// The certificates that are sent, from the leaf up, each signed by the next.
std::vector<const Certificate*> sent_way(const Bundle& bundle) {
  std::vector<const Certificate*> way = {&bundle.leaf};
  for (size_t i = 0; i < bundle.connected(); ++i) way.push_back(&bundle.chain[i]);
  return way;
}

// NEW may end where OLD ended, or at a root that is trusted here. A chain that led to a trusted
// root must lead to one again, by signatures. If no root here is known, the last certificate that
// OLD sent tells who signed it: some certificate of the new chain must have the same issuer.
bool ends_well(const Bundle& before, const Bundle& after) {
  if (ends_in_trusted_root(after)) return true;
  if (ends_in_trusted_root(before)) return false;
  const Certificate& end = before.top();
  return std::ranges::any_of(sent_way(after), [&](const Certificate* each) {
    return have_same_issuer(*each, end) ||
           (end.is_self_signed() && (each->der == end.der || each->is_signed_by(end)));
  });
}

void check_chain(const Bundle& before, bool knows_before, const Bundle& after,
                 const std::string& path, Findings& findings) {
  if (after.connected() < after.chain.size())
    findings.push_back({Severity::warning,
                        fmt::format("{} of the {} in {} do not belong to the chain",
                                    after.chain.size() - after.connected(),
                                    count_of(after.chain.size(), "certificate after the leaf",
                                             "certificates after the leaf"),
                                    path),
                        ""});
  if (after.leaf.is_self_signed() && before.leaf.is_self_signed()) return;
  const bool had_chain = knows_before && before.connected() > 0;
  if (had_chain && after.connected() == 0)
    return refuse(findings,
                  fmt::format("{} has no intermediate certificate, but the old one had {}", path,
                              before.connected()),
                  "give the full chain (fullchain.pem): leaf, then intermediates", Risk::chain);
  if (!ends_well(before, after))
    refuse(
        findings,
        fmt::format(
            "the chain in {} ends at {}, which this machine does not trust and which is not where "
            "the old chain ended ({})",
            path, printable(after.top().issuer_line), printable(before.top().issuer_line)),
        "give the full chain; if the private CA is new, make this machine trust it first "
        "(update-ca-certificates)",
        Risk::chain);
}

void check_usage(const Binding& binding, const Certificate& leaf, Findings& findings) {
  bool allowed = binding.role == Role::server ? leaf.server_auth : leaf.client_auth;
  if (allowed) return;
  refuse(findings,
         fmt::format("the new certificate is not for TLS {}s: its extended key usage is {}",
                     binding.role == Role::server ? "server" : "client",
                     join(leaf.extended_key_usages, ", ")),
         "issue it with serverAuth (or clientAuth, for an upstream)");
}

// Any site may have any of the names.
void check_names(const Certificate& old_leaf, const Certificate& new_leaf, Findings& findings) {
  std::vector<std::string> lost;
  for (const std::string& name : old_leaf.outline.names)
    if (!covers(new_leaf.outline.names, name)) lost.push_back(printable(name));
  if (!lost.empty())
    refuse(findings,
           fmt::format("the new certificate does not cover {}, as the one that it replaces does",
                       join(lost, ", ")),
           "give it a name of its own with --name", Risk::name_lost);
}

// OpenSSL's default level of security, and that of every browser: servers refuse to load less.
constexpr int kLeastBits = 112;

bool has_broken_digest(const Certificate& certificate) {
  const std::string algorithm = to_lower(certificate.signature_algorithm);
  return algorithm.find("sha1") != std::string::npos || algorithm.find("md5") != std::string::npos;
}

void check_security(const Bundle& bundle, Findings& findings) {
  for (const Certificate* each : sent_way(bundle)) {
    const std::string name = printable(each->subject_line);
    if (each->security_bits < kLeastBits)
      refuse(findings, fmt::format("the key of {} is too weak ({})", name, each->key_text()),
             "issue it with an EC key, or RSA with 2048 bits or more");
    if (has_broken_digest(*each) && !each->is_self_signed())
      refuse(findings,
             fmt::format("{} is signed with {}, which clients reject", name,
                         each->signature_algorithm),
             "have it issued with SHA-256");
  }
}

std::vector<std::string> covered_only_by(const std::vector<std::string>& names,
                                         const Certificate& one, const Certificate& other) {
  std::vector<std::string> only;
  for (const std::string& name : names)
    if (covers(one.outline.names, name) && !covers(other.outline.names, name)) only.push_back(name);
  return only;
}

}  // namespace

bool refuses(const std::vector<Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::error; });
}

void accept(const Risks& accepted, const std::string& command, std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (!finding.risk || finding.severity != Severity::error) continue;
    if (accepted.contains(*finding.risk)) {
      finding.severity = Severity::warning;
      finding.next.clear();
    } else {
      finding.next +=
          fmt::format("; if it is meant: {} --accept={}", command, to_text(*finding.risk));
    }
  }
}

std::vector<std::string> names_lost(const Binding& binding, const Certificate& old_one,
                                    const Certificate& new_one) {
  // The names of the file on disk are those of NEW if it was renewed in place.
  return covered_only_by(binding.named_by_certificate ? old_one.outline.names : binding.names,
                         old_one, new_one);
}

std::vector<std::string> names_won(const Binding& binding, const Certificate& old_one,
                                   const Certificate& new_one) {
  return covered_only_by(binding.names, new_one, old_one);
}

std::vector<Finding> preflight_itself(const OldCertificate& old_one, const NewCertificate& new_one,
                                      WallTime now, Passphrase passphrase) {
  Findings findings;
  check_shape(old_one, new_one, findings);
  if (refuses(findings)) return findings;
  check_key(new_one, passphrase, findings);
  check_validity(new_one, now, findings);
  return findings;
}

std::vector<Finding> preflight_but_chain(const OldCertificate& old_one,
                                         const NewCertificate& new_one, WallTime now,
                                         Passphrase passphrase) {
  Findings findings = preflight_itself(old_one, new_one, now, passphrase);
  bool forced = old_one.thumbprint == new_one.bundle.leaf.outline.thumbprint;
  if (forced || !has_good_shape(old_one, new_one)) return findings;
  check_lifetime(old_one, new_one, findings);
  check_strength(old_one.bundle.leaf, new_one.bundle.leaf, findings);
  check_intermediates(new_one.bundle, new_one.files.certificate, now, findings);
  return findings;
}

std::vector<Finding> preflight_intermediates(const Bundle& sent, const std::string& path,
                                             WallTime now) {
  Findings findings;
  check_intermediates(sent, path, now, findings);
  return findings;
}

std::vector<Finding> preflight_chain(const Bundle& before, bool knows_before, const Bundle& after,
                                     const std::string& path) {
  Findings findings;
  check_chain(before, knows_before, after, path, findings);
  return findings;
}

std::vector<Finding> preflight_certificate(const OldCertificate& old_one,
                                           const NewCertificate& new_one, WallTime now) {
  Findings findings = preflight_but_chain(old_one, new_one, now);
  bool forced = old_one.thumbprint == new_one.bundle.leaf.outline.thumbprint;
  if (!forced && has_good_shape(old_one, new_one))
    check_chain(old_one.bundle, old_one.has_file, new_one.bundle, new_one.files.certificate,
                findings);
  return findings;
}

std::optional<Finding> preflight_leftover(const Files& files, const std::string& path) {
  auto real = path.empty() ? Result<std::string>(path) : files.real_path(path);
  if (!real || !leads_into_a_swap(*real)) return std::nullopt;
  return Finding{Severity::error,
                 fmt::format("{} is a symlink to {}, left by an interrupted swap", path, *real),
                 fmt::format("certrebind recover; if that does not remove the symlink: "
                             "cp --remove-destination {} {}",
                             *real, path)};
}

std::vector<Finding> preflight_binding(const Binding& binding, const OldCertificate& old_one,
                                       const NewCertificate& new_one) {
  Findings findings;
  const Certificate& leaf = new_one.bundle.leaf;
  check_usage(binding, leaf, findings);
  if (binding.role == Role::client) return findings;
  std::vector<std::string> lost = names_lost(binding, old_one.bundle.leaf, leaf);
  // Without any of its names, the site is down for everybody: nobody may accept that. Where no
  // configuration names the site, the host may have a new name.
  const bool keeps_one =
      binding.named_by_certificate || std::ranges::any_of(binding.names, [&](const auto& name) {
        return covers(leaf.outline.names, name);
      });
  if (!lost.empty())
    refuse(findings,
           fmt::format("{} would lose {}: the new certificate does not cover {}", binding.site,
                       join(lost, ", "), lost.size() == 1 ? "it" : "them"),
           fmt::format("issue it for {} too", join(lost, " ")),
           keeps_one ? std::optional(Risk::name_lost) : std::nullopt);
  const KeyType old_type = old_one.bundle.leaf.key_type;
  if (!has_suite_for(binding.ciphers, leaf.key_type) && has_suite_for(binding.ciphers, old_type))
    refuse(findings,
           fmt::format("the new key is {}, but {} allows no cipher suite for that up to TLS 1.2: "
                       "handshakes would fail",
                       leaf.key_text(), binding.site),
           fmt::format("issue it with an {} key as before, or allow suites for {} there",
                       to_text(old_type), to_text(leaf.key_type)));
  if (leaf.must_staple && !binding.stapling)
    refuse(findings,
           fmt::format("the new certificate is Must-Staple, but {} does not staple: browsers would "
                       "reject it",
                       binding.site),
           "turn OCSP stapling on, or issue the certificate without Must-Staple");
  return findings;
}

std::vector<Finding> preflight_stored(const OldCertificate* replaced, const NewCertificate& new_one,
                                      WallTime now) {
  const OldCertificate nothing;
  const OldCertificate& old_one = replaced != nullptr ? *replaced : nothing;
  Findings findings = replaced != nullptr ? preflight_certificate(old_one, new_one, now)
                                          : preflight_itself(old_one, new_one, now);
  if (!has_good_shape(old_one, new_one)) return findings;
  if (replaced == nullptr)
    check_intermediates(new_one.bundle, new_one.files.certificate, now, findings);
  else
    check_names(old_one.bundle.leaf, new_one.bundle.leaf, findings);
  check_usage({}, new_one.bundle.leaf, findings);
  check_security(new_one.bundle, findings);
  return findings;
}

}  // namespace certrebind
