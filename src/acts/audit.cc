// Judges every binding by what is configured, on disk and served. `judge` collects the remarks of
// one binding in this order:
//
//   add_looks        compares each handshake with the certificate on disk
//   SharedListeners  finds foreign processes that take connections at its addresses
//   PairAudit        checks its certificate, key and chain on disk
//   check_names      checks that the certificate covers the names of the site
//   check_next       finds what is on disk but not loaded, according to file times and to mod_md
//
// The checks of files and of listeners do not depend on the binding. They run once for each pair of
// files and once for each server, because thousands of sites may share them.
#include "acts/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "observe/renewed_in_memory.h"
#include "plan/advice.h"
#include "proof/foreign_listeners.h"
#include "store/stores.h"
#include "survey/identify.h"
#include "survey/key_types.h"
#include "survey/policy.h"
#include "survey/same_site.h"
#include "x509/bundle.h"
#include "x509/key.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

using Remarks = std::vector<Remark>;

constexpr const char* kLookAtTheClock = "check this machine's clock: date -u";

// " expired on …": goes on after the name of the certificate.
std::string validity_text(Complaint complaint, const CertificateOutline& certificate) {
  if (complaint == Complaint::not_yet_valid)
    return fmt::format(" is not valid before {} UTC", to_text(certificate.not_before));
  return fmt::format(" {} on {} UTC", complaint == Complaint::expired ? "expired" : "expires",
                     to_text(certificate.not_after));
}

// Checks one pair of files by itself, whichever site binds it.
class PairAudit {
 public:
  PairAudit(const Host& host, const Settings& settings, const Advice& advice)
      : host_(host), settings_(settings), advice_(advice) {}

  // Reads and checks each pair of paths once.
  const Remarks& of(const SurveyedBinding& bound) {
    auto key = std::tuple(bound.binding.certificate.path, bound.binding.key.path,
                          bound.binding.chain.path, bound.binding.has_passphrase);
    auto [entry, is_new] = known_.try_emplace(key);
    if (is_new) entry->second = check(bound);
    return entry->second;
  }

 private:
  Remarks check(const SurveyedBinding& bound) const {
    Remarks remarks;
    const std::string& path = bound.binding.certificate.path;
    check_leftover(path, remarks);
    check_leftover(bound.binding.key.path, remarks);
    if (!bound.disk->certificate) {
      remarks.push_back({Complaint::no_certificate,
                         fmt::format("{}: {}", path, bound.disk->problem),
                         advice_.way_back(bound)});
      return remarks;
    }
    check_validity(*bound.disk->certificate, path, remarks);
    PairOnDisk pair(bound);
    if (!pair.bundle()) {
      remarks.push_back({Complaint::no_certificate, pair.bundle().error().message(), ""});
      return remarks;
    }
    check_key(bound, pair, remarks);
    if (bound.binding.leaf_alone) return remarks;
    const std::string& chain = bound.binding.chain.path;
    Bundle sent = *pair.bundle();
    sent.chain = pair.chain();
    check_chain(sent, chain.empty() ? path : chain, remarks);
    return remarks;
  }

  void check_leftover(const std::string& path, Remarks& remarks) const {
    if (auto leftover = preflight_leftover(host_.files, path))
      remarks.push_back({Complaint::swap_leftover, leftover->sentence, leftover->next});
  }

  void check_validity(const CertificateOutline& certificate, const std::string& path,
                      Remarks& remarks) const {
    auto complaint = complaint_of_validity(certificate, settings_, host_.clock.wall());
    if (complaint)
      remarks.push_back({*complaint, path + validity_text(*complaint, certificate),
                         *complaint == Complaint::not_yet_valid
                             ? kLookAtTheClock
                             : "renew it, then certrebind rebind OLD NEW"});
  }

  void check_key(const SurveyedBinding& bound, PairOnDisk& pair, Remarks& remarks) const {
    const Binding& binding = bound.binding;
    if (binding.key.path.empty()) return;
    const Result<KeyState> key = pair.key();
    if (!key && key.error().code == Code::denied) return;  // we may not read this key
    if (key && is_usable(*key, binding)) return;
    remarks.push_back({Complaint::key_mismatch,
                       fmt::format("the key {} {}", binding.key.path,
                                   key ? to_text(*key) : "cannot be read: " + key.error().cause),
                       "a reload would fail: " + way_to_the_key(bound, pair)});
  }

  // Mostly only one of two directives was changed: then the right key lies beside the certificate.
  std::string way_to_the_key(const SurveyedBinding& bound, PairOnDisk& pair) const {
    const Binding& binding = bound.binding;
    const Files& files = bound.service->files();
    const Certificate* leaf = pair.leaf();
    auto beside = leaf ? find_key(files, binding.certificate.path, *leaf) : std::nullopt;
    if (!beside) return advice_.way_back(bound);
    auto bytes = files.read(*beside, kPemLimit);
    if (!bytes || *beside == binding.key.path || key_state(*bytes, *leaf) != KeyState::matches)
      return advice_.way_back(bound);
    return fmt::format("the key of {} is {}: name it at {}", printable(binding.certificate.path),
                       printable(*beside), printable(binding.key.where.text()));
  }

  static void check_chain(const Bundle& bundle, const std::string& path, Remarks& remarks) {
    if (bundle.connected() > 0 || bundle.leaf.is_self_signed() || ends_in_trusted_root(bundle))
      return;
    remarks.push_back(
        {Complaint::chain_incomplete,
         fmt::format(
             "{} holds no intermediate of {}, and this machine does not trust its issuer ({})",
             path, bundle.leaf.outline.thumbprint.brief(), printable(bundle.leaf.issuer_line)),
         "put the full chain there (fullchain.pem)"});
  }

  const Host& host_;
  const Settings& settings_;
  const Advice& advice_;
  std::map<std::tuple<std::string, std::string, std::string, bool>, Remarks> known_;
};

void check_names(const SurveyedBinding& bound, Remarks& remarks) {
  if (bound.binding.role == Role::client) return;
  std::vector<std::string> missing;
  for (const std::string& name : bound.binding.names)
    if (!covers(bound.disk->certificate->names, name)) missing.push_back(name);
  if (missing.empty()) return;
  remarks.push_back({Complaint::name_not_covered,
                     fmt::format("the certificate does not cover {}", join(missing, ", ")),
                     "issue a certificate for all names of the site"});
}

// If no file is named, for example because the path contains a variable, only the served
// certificate can be checked.
void check_served_alone(const SurveyedBinding& bound, const Look& look, const Settings& settings,
                        WallTime now, Remarks& remarks) {
  auto served = outline_of(look.served->leaf_der);
  if (!served) return;
  const std::string what =
      fmt::format("{} serves {}, which", look.asked.text(), look.served->thumbprint.brief());
  if (auto complaint = complaint_of_validity(*served, settings, now))
    remarks.push_back({*complaint, what + validity_text(*complaint, *served),
                       *complaint == Complaint::not_yet_valid
                           ? kLookAtTheClock
                           : "renew it, then reload the server"});
  const bool is_for_it =
      std::ranges::find(bound.binding.names, look.asked.sni) == bound.binding.names.end() ||
      covers(served->names, look.asked.sni);
  if (!is_for_it)
    remarks.push_back({Complaint::name_not_covered,
                       what + " does not cover " + printable(look.asked.sni),
                       "issue a certificate for all names of the site"});
}

// Nothing on disk and nothing served is known: that must not pass for OK.
void check_unseen(const SurveyedBinding& bound, Remarks& remarks) {
  if (bound.left_alone || !bound.service->reload().signal) return;
  std::string why = bound.binding.role == Role::client
                        ? "a client certificate is shown to upstreams"
                        : "no handshake reaches it";
  for (const Endpoint& endpoint : bound.binding.endpoints)
    if (!endpoint.unproven.empty()) why = endpoint.unproven;
  remarks.push_back({Complaint::unseen,
                     fmt::format("nobody knows which certificate is used: {}, and {}",
                                 bound.binding.not_editable, why),
                     "watch the renewal of its certificates by hand"});
}

// Another site of the same server that has this certificate on disk: then it is not an earlier
// certificate of this site.
const SurveyedBinding* held_elsewhere(const Survey& survey, const Thumbprint& thumbprint,
                                      const SurveyedBinding& bound) {
  auto other = std::ranges::find_if(survey.bindings, [&](const SurveyedBinding& each) {
    return each.service == bound.service && each.holds(thumbprint) &&
           each.binding.certificate.path != bound.binding.certificate.path;
  });
  return other == survey.bindings.end() ? nullptr : &*other;
}

// A certificate of the same site that the next reload replaces by that of `bound`.
const SurveyedBinding* shadowed_by(const Survey& survey, const Thumbprint& thumbprint,
                                   const SurveyedBinding& bound) {
  auto hidden = std::ranges::find_if(survey.shadowed, [&](const SurveyedBinding& each) {
    return each.service == bound.service && each.binding.site == bound.binding.site &&
           each.binding.further_pairs > 0 && each.holds(thumbprint);
  });
  return hidden == survey.shadowed.end() ? nullptr : &*hidden;
}

Remark unreachable(const SurveyedBinding& bound, const Look& look) {
  Remark remark{Complaint::unreachable, look.asked.text() + ": " + look.served.error().cause, ""};
  if (!shows_another_key(look.served.error())) return remark;
  remark.sentence += ", for the key that the server has is not its certificate's";
  if (bound.disk && bound.disk->certificate)
    remark.next =
        fmt::format("certrebind rebind {0} {0}", bound.disk->certificate->thumbprint.brief());
  return remark;
}

void check_one_look(const Survey& survey, const SameSite& same_site, const SurveyedBinding& bound,
                    const Look& look, const Settings& settings, WallTime now, Advice& advice,
                    Remarks& remarks) {
  if (!look.served) return remarks.push_back(unreachable(bound, look));
  if (!bound.disk) return check_served_alone(bound, look, settings, now, remarks);
  if (!bound.disk->certificate || look.served->thumbprint == bound.disk->certificate->thumbprint)
    return;
  if (is_only_in_memory(bound, *look.served)) {
    remarks.push_back(
        {Complaint::only_in_memory, in_memory_sentence(bound, *look.served), how_to_save(bound)});
    return check_served_alone(bound, look, settings, now, remarks);
  }
  auto served = outline_of(look.served->leaf_der);
  if (const SurveyedBinding* hidden = shadowed_by(survey, look.served->thumbprint, bound)) {
    remarks.push_back(
        {Complaint::serves_another,
         fmt::format("{} serves {} of {}: the server has not loaded {} yet, which takes its place",
                     look.asked.text(), look.served->thumbprint.brief(),
                     hidden->binding.certificate.path, bound.binding.certificate.path),
         fmt::format("certrebind rebind {0} {0}", bound.disk->certificate->thumbprint.brief())});
    return;
  }
  if (const SurveyedBinding* twin = same_site.holding(look.served->thumbprint, bound)) {
    remarks.push_back(
        {Complaint::serves_another,
         fmt::format(
             "{} serves {} of {}: {} at {} has a key of the same type, and the server uses only "
             "the last of the two",
             look.asked.text(), look.served->thumbprint.brief(), twin->binding.certificate.path,
             bound.disk->certificate->thumbprint.brief(), bound.binding.certificate.path),
         advice.way_back(bound)});
    return;
  }
  if (const SurveyedBinding* other = held_elsewhere(survey, look.served->thumbprint, bound)) {
    remarks.push_back(
        {Complaint::serves_another,
         fmt::format("{} is answered by another site: {} is on disk at {}, and the certificate at "
                     "{} is not served there",
                     look.asked.text(), look.served->thumbprint.brief(),
                     other->binding.certificate.path, bound.binding.certificate.path),
         fmt::format("if the site was just added: certrebind rebind {0} {0} loads and proves it; "
                     "otherwise check which names both sites have",
                     bound.disk->certificate->thumbprint.brief())});
    return;
  }
  bool newer = served && bound.disk->certificate->not_after > served->not_after;
  const bool refused = advice.would_be_refused(bound, &*look.served);
  const std::string next = refused
                               ? advice.next_for(bound, *look.served)
                               : advice.how_to_load(bound, look.served->thumbprint.brief(),
                                                    bound.disk->certificate->thumbprint.brief());
  // What is wrong with the file alone has a remark of its own.
  const std::string why = refused ? advice.why_refused(bound, *look.served) : "";
  const auto ends = served ? complaint_of_validity(*served, settings, now) : std::nullopt;
  // A renewal that no client sees makes the end of what is served no less urgent.
  if (ends == Complaint::expired || ends == Complaint::almost_expired)
    remarks.push_back({*ends,
                       fmt::format("{} serves {}, which{}", look.asked.text(),
                                   look.served->thumbprint.brief(), validity_text(*ends, *served)),
                       next});
  remarks.push_back(
      {newer ? Complaint::renewed_not_reloaded : Complaint::serves_another,
       fmt::format("{} serves {}, but {} is on disk{}", look.asked.text(),
                   look.served->thumbprint.brief(), bound.disk->certificate->thumbprint.brief(),
                   why.empty() ? "" : ", which certrebind refuses to load: " + why),
       next});
}

// What is on disk but will be served only after a reload.
void check_next(const SurveyedBinding& bound, Advice& advice, Remarks& remarks) {
  const std::string& path = bound.binding.certificate.path;
  if (bound.not_loaded)
    remarks.push_back(
        {Complaint::renewed_not_reloaded,
         fmt::format("{} was changed after the server loaded it", path),
         advice.would_be_refused(bound, nullptr)
             ? advice.way_back(bound)
             : advice.how_to_load(bound, bound.not_loaded->brief(), shell_quoted(path))});
  if (bound.binding.next_certificate.empty()) return;
  remarks.push_back(
      {Complaint::renewed_not_reloaded,
       fmt::format("{} waits for a reload", bound.binding.next_certificate),
       fmt::format("certrebind rebind {} {}", shell_quoted(path), shell_quoted(path))});
}

// Many endpoints with the same complaint and the same next command give one sentence.
void add_looks(const Survey& survey, const SameSite& same_site, const SurveyedBinding& bound,
               const std::vector<Look>& looks, const Settings& settings, WallTime now,
               Advice& advice, Remarks& remarks) {
  Remarks all;
  // A path that depends on the name names no file for a client that sends none.
  const bool by_name = !bound.disk && std::ranges::any_of(looks, [](const Look& look) {
    return look.served && !look.asked.sni.empty();
  });
  for (const Look& look : looks)
    if (!by_name || look.served || !look.asked.sni.empty())
      check_one_look(survey, same_site, bound, look, settings, now, advice, all);
  for (const Remark& remark : all) {
    size_t same = static_cast<size_t>(std::ranges::count_if(all, [&](const Remark& other) {
      return other.complaint == remark.complaint && other.next == remark.next;
    }));
    bool told = std::ranges::any_of(remarks, [&](const Remark& other) {
      return other.complaint == remark.complaint && other.next == remark.next;
    });
    if (told) continue;
    remarks.push_back(remark);
    if (same > 1) remarks.back().sentence += fmt::format(" (and {} more like it)", same - 1);
  }
}

// Foreign processes that also take connections at the server's addresses.
class SharedListeners {
 public:
  SharedListeners(const Host& host, const Survey& survey) : host_(host), survey_(survey) {}

  void check(const SurveyedBinding& bound, Remarks& remarks) {
    for (const ForeignListener& foreign : of(*bound.service))
      if (std::ranges::any_of(bound.binding.endpoints, [&](const Endpoint& endpoint) {
            return endpoint.unproven.empty() && endpoint.address.port == foreign.port &&
                   (foreign.port != 0 || endpoint.address.text() == foreign.address);
          }))
        remarks.push_back({Complaint::shared_listener, foreign.text(), foreign.next()});
  }

 private:
  // This reads all of /proc, so it is done once for each server.
  const std::vector<ForeignListener>& of(const Service& service) {
    auto [entry, is_new] = known_.try_emplace(&service);
    if (!is_new) return entry->second;
    entry->second = foreign_listeners_of(host_, survey_, service);
    return entry->second;
  }

  const Host& host_;
  const Survey& survey_;
  std::map<const Service*, std::vector<ForeignListener>> known_;
};

}  // namespace

std::string to_text(Complaint complaint) {
  switch (complaint) {
    case Complaint::renewed_not_reloaded:
      return "renewed but not reloaded";
    case Complaint::copy_stale:
      return "renewed, copy stale";
    case Complaint::only_in_memory:
      return "renewed in memory only";
    case Complaint::serves_another:
      return "serves another certificate";
    case Complaint::unreachable:
      return "unreachable";
    case Complaint::not_running:
      return "not running";
    case Complaint::no_certificate:
      return "no certificate";
    case Complaint::key_mismatch:
      return "key mismatched on disk";
    case Complaint::expired:
      return "expired";
    case Complaint::about_to_expire:
      return "about to expire";
    case Complaint::almost_expired:
      return "almost expired";
    case Complaint::not_yet_valid:
      return "not yet valid";
    case Complaint::name_not_covered:
      return "name not covered";
    case Complaint::chain_incomplete:
      return "chain incomplete";
    case Complaint::shared_listener:
      return "others take its connections";
    case Complaint::swap_leftover:
      return "left over from an interrupted swap";
    case Complaint::unseen:
      return "not seen";
  }
  return "unknown";
}

Level level_of(Complaint complaint) {
  switch (complaint) {
    case Complaint::renewed_not_reloaded:
    case Complaint::copy_stale:
    case Complaint::only_in_memory:
    case Complaint::serves_another:
    case Complaint::unseen:
    case Complaint::about_to_expire:
    case Complaint::name_not_covered:
    case Complaint::chain_incomplete:
    case Complaint::shared_listener:
      return Level::warning;
    default:
      return Level::critical;
  }
}

Level AuditedBinding::level() const {
  Level worst = Level::ok;
  for (const Remark& remark : remarks)
    if (!remark.accepted) worst = std::max(worst, level_of(remark.complaint));
  return worst;
}

bool needs_a_person(Complaint complaint) {
  return complaint == Complaint::shared_listener ||
         (level_of(complaint) == Level::critical && complaint != Complaint::not_running);
}

bool about_to_expire(const CertificateOutline& certificate, const Settings& settings,
                     WallTime now) {
  if (settings.warning_days)
    return certificate.not_after - now < std::chrono::days(*settings.warning_days);
  auto lifetime = certificate.not_after - certificate.not_before;
  auto part = std::chrono::duration_cast<milliseconds>(lifetime * settings.expiry_fraction);
  milliseconds most = std::chrono::days(settings.expiry_days);
  return certificate.not_after - now < std::min(part, most);
}

std::optional<Complaint> complaint_of_validity(const CertificateOutline& certificate,
                                               const Settings& settings, WallTime now) {
  if (now > certificate.not_after) return Complaint::expired;
  if (now < certificate.not_before) return Complaint::not_yet_valid;
  if (settings.critical_days &&
      certificate.not_after - now < std::chrono::days(*settings.critical_days))
    return Complaint::almost_expired;
  if (about_to_expire(certificate, settings, now)) return Complaint::about_to_expire;
  return std::nullopt;
}

// Thousands of sites may have the same complaint: only one of them is named.
std::vector<Attention> attention_for(
    const std::vector<AuditedBinding>& audited,
    const std::function<bool(const AuditedBinding&, Complaint)>& wanted,
    const std::function<std::string(const std::string& service, Complaint)>& subject) {
  std::map<std::pair<std::string, Complaint>, std::vector<const Remark*>> found;
  for (const AuditedBinding& each : audited)
    for (const Remark& remark : each.remarks)
      if (!remark.accepted && wanted(each, remark.complaint))
        found[{each.bound->service->id().text(), remark.complaint}].push_back(&remark);
  std::vector<Attention> items;
  for (const auto& [about, remarks] : found) {
    const auto& [service, complaint] = about;
    std::string sentence =
        fmt::format("{}: {}: {}", service, to_text(complaint), remarks.front()->sentence);
    if (remarks.size() > 1) sentence += fmt::format(" (and {} more like it)", remarks.size() - 1);
    const std::string& next = remarks.front()->next;
    items.push_back({.subject = subject(service, complaint),
                     .sentence = std::move(sentence),
                     .next = next.empty() ? "certrebind check" : next});
  }
  return items;
}

void mark_stale_copies(const Settings& settings, const Pending& pending,
                       std::vector<AuditedBinding>& audited) {
  const std::set<const SurveyedBinding*> left_out(pending.left_out.begin(), pending.left_out.end());
  for (AuditedBinding& each : audited) {
    const SurveyedBinding& bound = *each.bound;
    if (left_out.contains(&bound) || !bound.disk || !bound.disk->certificate) continue;
    const std::string disk = bound.disk->certificate->thumbprint.hex();
    auto pair = std::ranges::find(pending.pairs, disk, &RequestedPair::old_one);
    const std::string& path = bound.binding.certificate.path;
    if (pair == pending.pairs.end() || pair->new_one == path) continue;
    each.remarks.push_back({Complaint::copy_stale,
                            fmt::format("{} holds {}, which {} succeeds", path,
                                        bound.disk->certificate->thumbprint.brief(), pair->new_one),
                            is_left_alone(settings, bound)
                                ? fmt::format("certrebind rebind {} {}", shell_quoted(path),
                                              shell_quoted(pair->new_one))
                                : "certrebind rebind --pending"});
  }
}

std::vector<AuditedBinding> judge(const Host& host, const Settings& settings, const Survey& survey,
                                  std::vector<std::vector<Look>> looks) {
  SharedListeners shared(host, survey);
  const SameSite same_site(survey);
  Advice advice(host, settings, survey);
  PairAudit pairs(host, settings, advice);
  std::vector<AuditedBinding> audited;
  for (size_t index = 0; index < survey.bindings.size(); ++index) {
    const SurveyedBinding& bound = survey.bindings[index];
    AuditedBinding result{.bound = &bound, .remarks = {}, .looks = std::move(looks[index])};
    add_looks(survey, same_site, bound, result.looks, settings, host.clock.wall(), advice,
              result.remarks);
    if (!bound.disk && result.looks.empty()) check_unseen(bound, result.remarks);
    shared.check(bound, result.remarks);
    if (bound.disk) {
      // What is served is newer then, and has its own end.
      const bool is_in_memory = std::ranges::find(result.remarks, Complaint::only_in_memory,
                                                  &Remark::complaint) != result.remarks.end();
      std::ranges::copy_if(
          pairs.of(bound), std::back_inserter(result.remarks), [&](const Remark& remark) {
            return !is_in_memory || (remark.complaint != Complaint::expired &&
                                     remark.complaint != Complaint::about_to_expire &&
                                     remark.complaint != Complaint::almost_expired);
          });
      if (bound.disk->certificate) check_names(bound, result.remarks);
      check_next(bound, advice, result.remarks);
    }
    if (!bound.service->reload().signal)
      result.remarks.push_back(
          {Complaint::not_running, bound.service->id().text() + " is not running", "start it"});
    audited.push_back(std::move(result));
  }
  // What is never shown is loaded all the same, and a key that does not match fails every reload.
  for (const SurveyedBinding& hidden : survey.shadowed) {
    AuditedBinding result{.bound = &hidden, .remarks = {}, .looks = {}};
    std::ranges::copy_if(pairs.of(hidden), std::back_inserter(result.remarks),
                         [](const Remark& remark) {
                           return remark.complaint == Complaint::key_mismatch ||
                                  remark.complaint == Complaint::swap_leftover;
                         });
    if (!result.remarks.empty()) audited.push_back(std::move(result));
  }
  return audited;
}

}  // namespace certrebind
