// Finds the pending successions. `Finder::run` considers one binding after the other, and takes the
// first of these steps that gives a pair:
//
//   served_to_disk     a handshake shows another certificate than the file holds: the file was
//                      renewed in place, and a reload is missing. The same if only the times of
//                      file and server tell it (`not_loaded`), or if the server has the
//                      certificate of one pair and the key of another.
//   take_up            the server keeps a new certificate for its next reload (mod_md)
//   disk_to_successor  the file holds OLD, and its successor is elsewhere: it was declared, or is
//                      at a path where OLD was seen before, or is in a store and has the same names
//
// The order goes from strong to weak evidence: what the file holds is certain, equal names are a
// guess. So the last step accepts only a single candidate, and leaves the choice to a person if
// there are several. `add` applies the policies. At the end `keep_at_home` excludes bindings of the
// same OLD whose own renewer keeps their certificate elsewhere.
#include "plan/pending.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "proof/foreign_listeners.h"
#include "store/own.h"
#include "store/read_pem.h"
#include "store/renewers.h"
#include "survey/policy.h"
#include "survey/same_site.h"
#include "sys/changed_at.h"
#include "sys/day_time.h"
#include "sys/local_time.h"
#include "sys/safe_way.h"
#include "transaction/config_tests.h"
#include "transaction/server_start_times.h"

namespace certrebind {

namespace {

// A certificate that may replace others: it is in a file, and its key is available.
struct Candidate {
  Certificate leaf;
  std::string certificate_path;
  std::string key_path;
  std::string renewer;
};

// The same text for equal sets of names.
std::string set_of(std::vector<std::string> names) {
  std::ranges::sort(names);
  return join(names, " ");
}

// True if it expires later, or if its renewer issued it later for a shorter life.
bool is_later(const Candidate& now, const CertificateOutline& old_one) {
  const CertificateOutline& leaf = now.leaf.outline;
  return leaf.not_after > old_one.not_after ||
         (!now.renewer.empty() && leaf.not_before > old_one.not_before);
}

// A certificate in a store, of which only the outline was read.
struct StoredLeaf {
  StoredCertificate where;
  CertificateOutline outline;
};

class Finder {
 public:
  Finder(const Host& host, const Settings& settings, const Survey& survey, const History& history,
         const Doubts& doubts)
      : host_(host),
        settings_(settings),
        survey_(survey),
        same_site_(survey),
        history_(history),
        doubts_(doubts),
        times_(host) {
    for (const SurveyedBinding& bound : survey.bindings) {
      if (bound.disk && bound.disk->certificate)
        holders_[bound.disk->certificate->thumbprint].push_back(&bound);
      if (auto real = host.files.real_path(bound.binding.certificate.path))
        bound_at_[*real].push_back(&bound);
    }
    for (const Sighting& sighting : history.sightings)
      seen_at_[sighting.thumbprint].insert(sighting.path);
    for (const KnownSuccession& known : history.successions) {
      if (known.how == How::declared) declared_[known.old_thumbprint] = &known;
      if (known.how == How::undone) undone_.emplace(known.old_thumbprint, known.new_thumbprint);
    }
  }

  Pending run(const std::vector<std::vector<Look>>& looks, const ChosenBindings& chosen) {
    note_ours(looks);
    for (size_t i = 0; i < survey_.bindings.size(); ++i)
      if (!chosen || chosen(survey_.bindings[i])) consider(survey_.bindings[i], looks[i]);
    keep_at_home();
    if (alone_ > 0)
      pending_.held.push_back(count_of(alone_, "binding is", "bindings are") +
                              " excluded by a policy");
    return std::move(pending_);
  }

 private:
  void note_ours(const std::vector<std::vector<Look>>& looks);
  void consider(const SurveyedBinding& bound, const std::vector<Look>& looks);
  void served_to_disk(const SurveyedBinding& bound, const std::vector<Look>& looks);
  void load_whole_pair(const SurveyedBinding& bound, const std::vector<Look>& looks);
  void reload_as_it_is(const SurveyedBinding& bound);
  void renewed_in_place(const SurveyedBinding& bound, const Thumbprint& old_one);
  void shows_anothers(const SurveyedBinding& bound, const Thumbprint& shown,
                      const SurveyedBinding& other);
  const SurveyedBinding* held_elsewhere(const Thumbprint& thumbprint,
                                        const SurveyedBinding& bound) const;
  bool was_loaded_from_there(const SurveyedBinding& bound, const Thumbprint& shown);
  bool is_in_doubt(const SurveyedBinding& bound);
  const std::string& home_of(const std::string& path);
  bool leaves_home(const SurveyedBinding& bound, const std::string& new_path);
  bool has_a_home(const Thumbprint& thumbprint, const std::vector<StoredLeaf>& stored);
  const SurveyedBinding* bound_elsewhere(const std::string& path,
                                         const SurveyedBinding& bound) const;
  void keep_at_home();
  void hold(const SurveyedBinding& bound, std::string sentence);
  void take_up(const SurveyedBinding& bound);
  void disk_to_successor(const SurveyedBinding& bound);
  std::optional<RequestedPair> declared(const Thumbprint& old_one) const;
  std::vector<Candidate> same_place(const SurveyedBinding& bound) const;
  std::vector<Candidate> same_identity(const SurveyedBinding& bound);
  bool replaces_another(const SurveyedBinding& bound, const Candidate& now);
  const std::vector<StoredLeaf>& stored_for(const std::vector<std::string>& names);
  std::optional<Candidate> candidate(const std::string& certificate_path,
                                     const std::string& key_path) const;
  bool outlives(const RequestedPair& pair, const SurveyedBinding& bound) const;
  bool pair_matches(const SurveyedBinding& bound) const;
  bool was_undone(const Thumbprint& old_one, const Thumbprint& new_one) const;
  void settle(const SurveyedBinding& bound, std::vector<Candidate> found, How how);
  std::optional<WallTime> opening_of(const Policy& policy);
  void add(const SurveyedBinding& bound, RequestedPair pair);

  const Host& host_;
  const Settings& settings_;
  const Survey& survey_;
  const SameSite same_site_;
  const History& history_;
  const Doubts& doubts_;
  ServerStartTimes times_;
  std::unordered_map<Thumbprint, std::vector<const SurveyedBinding*>> holders_;
  std::unordered_map<std::string, std::vector<const SurveyedBinding*>> bound_at_;  // by real path
  std::optional<Renewers> renewers_;
  std::unordered_map<std::string, std::string> homes_;  // by path; empty: no renewer
  std::unordered_map<Thumbprint, std::set<std::string>> seen_at_;
  std::unordered_map<std::string, const KnownSuccession*> declared_;  // latest declaration, by OLD
  std::set<std::pair<std::string, std::string>> undone_;              // OLD, NEW
  std::optional<std::unordered_map<std::string, std::vector<StoredLeaf>>> stored_;  // by names
  std::set<std::string> taken_;  // each OLD that has a pair
  // Certificates that servers of ours have or had: on disk, in memory, or at their paths before.
  std::set<std::string> ours_;
  std::map<const Policy*, std::optional<WallTime>> openings_;
  size_t alone_ = 0;
  Pending pending_;
};

void Finder::note_ours(const std::vector<std::vector<Look>>& looks) {
  std::set<std::string> paths;
  for (size_t i = 0; i < survey_.bindings.size(); ++i) {
    const SurveyedBinding& bound = survey_.bindings[i];
    if (!bound.service->trust().is_ours()) continue;
    paths.insert(bound.binding.certificate.path);
    if (bound.disk && bound.disk->certificate)
      ours_.insert(bound.disk->certificate->thumbprint.hex());
    if (bound.not_loaded) ours_.insert(bound.not_loaded->hex());
    for (const Look& look : looks[i])
      if (look.served) ours_.insert(look.served->thumbprint.hex());
  }
  for (const Sighting& seen : history_.sightings)
    if (paths.contains(seen.path)) ours_.insert(seen.thumbprint.hex());
}

void Finder::consider(const SurveyedBinding& bound, const std::vector<Look>& looks) {
  if (bound.left_alone) {
    ++alone_;
    pending_.left_out.push_back(&bound);
    return;
  }
  if (is_in_doubt(bound)) return;
  if (!bound.disk || !bound.disk->certificate) return;
  size_t before = pending_.pairs.size();
  served_to_disk(bound, looks);
  if (pending_.pairs.size() == before) load_whole_pair(bound, looks);
  if (bound.not_loaded) {
    const SurveyedBinding* other = held_elsewhere(*bound.not_loaded, bound);
    if (other != nullptr) shows_anothers(bound, *bound.not_loaded, *other);
    if (other == nullptr) renewed_in_place(bound, *bound.not_loaded);
  }
  if (pending_.pairs.size() == before) take_up(bound);
  if (pending_.pairs.size() == before) disk_to_successor(bound);
}

// The file was renewed but not reloaded, or changed again after a reload: the file decides.
void Finder::served_to_disk(const SurveyedBinding& bound, const std::vector<Look>& looks) {
  const Thumbprint& disk = bound.disk->certificate->thumbprint;
  std::set<Thumbprint> others;
  for (const Look& look : looks)
    if (look.served && look.served->thumbprint != disk) others.insert(look.served->thumbprint);
  // The certificate of another binding of the same site is not an earlier one of this binding: two
  // files have the same key type, and the server uses one of them.
  std::erase_if(others,
                [&](const Thumbprint& each) { return same_site_.holding(each, bound) != nullptr; });
  for (const Thumbprint& served : others) {
    const SurveyedBinding* other = held_elsewhere(served, bound);
    if (other != nullptr) shows_anothers(bound, served, *other);
    if (other == nullptr) renewed_in_place(bound, served);
  }
}

// Another binding of the same server that has this certificate on disk. Then the server has it from
// there, and it is nobody's earlier certificate.
const SurveyedBinding* Finder::held_elsewhere(const Thumbprint& thumbprint,
                                              const SurveyedBinding& bound) const {
  auto is_other = [&](const SurveyedBinding& each) {
    return each.service == bound.service &&
           each.binding.certificate.path != bound.binding.certificate.path;
  };
  if (auto holders = holders_.find(thumbprint); holders != holders_.end())
    for (const SurveyedBinding* each : holders->second)
      if (is_other(*each)) return each;
  // One that gives way to this binding's at the next reload.
  for (const SurveyedBinding& hidden : survey_.shadowed)
    if (hidden.holds(thumbprint) && is_other(hidden)) return &hidden;
  return nullptr;
}

// True if this was the last certificate seen in the file before, and the file changed after the
// server loaded it.
bool Finder::was_loaded_from_there(const SurveyedBinding& bound, const Thumbprint& shown) {
  const std::string& path = bound.binding.certificate.path;
  auto last = std::ranges::find_if(
      history_.sightings.rbegin(), history_.sightings.rend(),
      [&](const Sighting& seen) { return seen.path == path && !bound.holds(seen.thumbprint); });
  if (last == history_.sightings.rend() || last->thumbprint != shown) return false;
  auto since = times_.since(*bound.service);
  auto changed = changed_at(host_.files, path);
  return since && changed && *changed >= *since;
}

// A server that reads each file for itself may have read one before a renewal and the other after
// it. Which pair it had is unknown, and no file is at fault.
void Finder::load_whole_pair(const SurveyedBinding& bound, const std::vector<Look>& looks) {
  if (std::ranges::any_of(looks, [](const Look& look) {
        return !look.served && shows_another_key(look.served.error());
      }))
    reload_as_it_is(bound);
}

// What the server has is no certificate to be replaced elsewhere: only a reload is missing.
void Finder::reload_as_it_is(const SurveyedBinding& bound) {
  if (!pair_matches(bound)) return;
  const std::string& path = bound.binding.certificate.path;
  add(bound, {.old_one = bound.disk->certificate->thumbprint.hex(),
              .new_one = path,
              .key_path = bound.binding.key.path,
              .how = How::same_place,
              .renewer = renewer_at(host_.files, settings_.stores, path)});
}

// Two cases. If both files held the same certificate and this one was renewed, a reload loads it,
// and the other file stays unchanged. Otherwise another site answered.
void Finder::shows_anothers(const SurveyedBinding& bound, const Thumbprint& shown,
                            const SurveyedBinding& other) {
  const std::string& path = bound.binding.certificate.path;
  const Thumbprint& disk = bound.disk->certificate->thumbprint;
  if (was_loaded_from_there(bound, shown)) return reload_as_it_is(bound);
  pending_.in_doubt = true;
  pending_.undecided.push_back(
      {.subject = fmt::format("pending {} {}", bound.service->id().text(), path),
       .sentence =
           fmt::format("{} serves {}, which is unchanged at {}, but {} is on disk at {}: another "
                       "site answers for it, or its server has not loaded it yet; nothing "
                       "is changed for it",
                       printable(bound.binding.site), shown.brief(),
                       printable(other.binding.certificate.path), disk.brief(), printable(path)),
       .next = "certrebind explain " + shell_quoted(path) + ", or reload the server"});
}

bool Finder::is_in_doubt(const SurveyedBinding& bound) {
  auto doubt = doubts_.find(bound.service);
  if (doubt == doubts_.end()) return false;
  pending_.left_out.push_back(&bound);
  pending_.in_doubt = true;
  const std::string id = bound.service->id().text();
  const std::string subject = "pending " + id + ", as the server sees it";
  if (std::ranges::find(pending_.undecided, subject, &Attention::subject) ==
      pending_.undecided.end())
    pending_.undecided.push_back(
        {.subject = subject,
         .sentence = fmt::format("{} is left unchanged: {}", id, doubt->second),
         .next = "certrebind check --service " + shell_quoted(id)});
  return true;
}

// Identifies the renewer and the certificate that own this path; empty if no renewer is known.
const std::string& Finder::home_of(const std::string& path) {
  auto [home, is_new] = homes_.try_emplace(path);
  if (!is_new) return home->second;
  if (!renewers_) renewers_.emplace(host_.files, settings_.stores, own_user());
  if (auto lineage = renewers_->owner_of(path)) {
    home->second = lineage->renewer + " " + lineage->directory + " " + lineage->name;
  } else if (std::string renewer = renewer_at(host_.files, settings_.stores, path);
             !renewer.empty()) {
    home->second = renewer + " " + parent_directory(path);
  }
  return home->second;
}

// True if the binding would no longer get renewals at its path: its own renewer updates another
// path.
bool Finder::leaves_home(const SurveyedBinding& bound, const std::string& new_path) {
  const std::string home = home_of(bound.binding.certificate.path);
  return !home.empty() && home_of(new_path) != home;
}

bool Finder::has_a_home(const Thumbprint& thumbprint, const std::vector<StoredLeaf>& stored) {
  return std::ranges::any_of(stored, [&](const StoredLeaf& each) {
    return each.outline.thumbprint == thumbprint && !home_of(each.where.certificate_path).empty();
  });
}

const SurveyedBinding* Finder::bound_elsewhere(const std::string& path,
                                               const SurveyedBinding& bound) const {
  auto real = host_.files.real_path(path);
  auto at = real ? bound_at_.find(*real) : bound_at_.end();
  if (at == bound_at_.end()) return nullptr;
  auto other = std::ranges::find_if(at->second, [&](auto* each) { return each != &bound; });
  return other == at->second.end() ? nullptr : *other;
}

// A succession found for one binding may also match other bindings of its OLD. Those with another
// renewer are excluded.
void Finder::keep_at_home() {
  for (const RequestedPair& pair : pending_.pairs) {
    if (pair.how == How::declared) continue;
    for (const auto& [thumbprint, holders] : holders_)
      if (thumbprint.hex() == pair.old_one)
        for (const SurveyedBinding* bound : holders)
          if (bound->binding.certificate.path != pair.new_one && leaves_home(*bound, pair.new_one))
            hold(*bound, fmt::format("{} keeps using {}, which its renewer updates",
                                     printable(bound->binding.site),
                                     printable(bound->binding.certificate.path)));
  }
}

void Finder::hold(const SurveyedBinding& bound, std::string sentence) {
  pending_.left_out.push_back(&bound);
  if (std::ranges::find(pending_.held, sentence) == pending_.held.end())
    pending_.held.push_back(std::move(sentence));
}

void Finder::renewed_in_place(const SurveyedBinding& bound, const Thumbprint& old_one) {
  if (auto pair = declared(old_one); pair && outlives(*pair, bound)) return add(bound, *pair);
  if (!pair_matches(bound)) return;
  add(bound,
      {.old_one = old_one.hex(),
       .new_one = bound.binding.certificate.path,
       .key_path = bound.binding.key.path,
       .how = How::same_place,
       .renewer = renewer_at(host_.files, settings_.stores, bound.binding.certificate.path)});
}

// A declared NEW takes precedence over the file, unless the certificate in the file expires later.
bool Finder::outlives(const RequestedPair& pair, const SurveyedBinding& bound) const {
  OnDisk declared = look_at(host_.files, pair.new_one);
  return declared.certificate &&
         declared.certificate->not_after >= bound.disk->certificate->not_after;
}

// The server already has the new certificate and waits for a reload.
void Finder::take_up(const SurveyedBinding& bound) {
  if (bound.binding.next_certificate.empty()) return;
  const std::string& path = bound.binding.certificate.path;
  add(bound, {.old_one = bound.disk->certificate->thumbprint.hex(),
              .new_one = path,
              .key_path = bound.binding.key.path,
              .how = How::same_place,
              .renewer = {}});
}

bool Finder::pair_matches(const SurveyedBinding& bound) const {
  const Binding& binding = bound.binding;
  if (binding.key.path.empty()) return candidate(binding.certificate.path, "").has_value();
  PairOnDisk pair(bound);
  const Result<KeyState> key = pair.key();
  return pair.bundle() && key && is_usable(*key, binding);
}

// The bound file is a copy, or one of several certificates of a store: its successor is elsewhere.
void Finder::disk_to_successor(const SurveyedBinding& bound) {
  if (auto pair = declared(bound.disk->certificate->thumbprint)) return add(bound, *pair);
  std::vector<Candidate> found = same_place(bound);
  std::erase_if(found, [&](const Candidate& each) {
    return leaves_home(bound, each.certificate_path) || replaces_another(bound, each);
  });
  if (!found.empty()) return settle(bound, std::move(found), How::same_place);
  settle(bound, same_identity(bound), How::same_identity);
}

std::optional<RequestedPair> Finder::declared(const Thumbprint& old_one) const {
  auto known = declared_.find(old_one.hex());
  if (known == declared_.end()) return std::nullopt;
  const KnownSuccession& succession = *known->second;
  if (succession.new_thumbprint == succession.old_thumbprint) return std::nullopt;
  auto now = candidate(succession.path, "");
  if (!now || now->leaf.outline.thumbprint.hex() != succession.new_thumbprint) return std::nullopt;
  return RequestedPair{.old_one = old_one.hex(),
                       .new_one = succession.path,
                       .key_path = now->key_path,
                       .how = succession.how,
                       .renewer = succession.renewer,
                       .accepted = succession.accepted};
}

// Finds other certificates at the paths where this certificate was seen before.
std::vector<Candidate> Finder::same_place(const SurveyedBinding& bound) const {
  std::vector<Candidate> found;
  auto places = seen_at_.find(bound.disk->certificate->thumbprint);
  if (places == seen_at_.end()) return found;
  for (const std::string& path : places->second) {
    // A user who can write this file could also have put the old certificate there, to make us
    // accept his new one.
    if (path == bound.binding.certificate.path || !SafeWay(host_.files).to_content(path)) continue;
    auto now = candidate(path, "");
    if (now && is_later(*now, *bound.disk->certificate)) found.push_back(std::move(*now));
  }
  return found;
}

// True if the path now belongs to another site: then its certificate is not a renewal of this one.
bool Finder::replaces_another(const SurveyedBinding& bound, const Candidate& now) {
  return bound_elsewhere(now.certificate_path, bound) != nullptr &&
         home_of(now.certificate_path).empty() &&
         set_of(now.leaf.outline.names) != set_of(bound.disk->certificate->names);
}

std::vector<Candidate> Finder::same_identity(const SurveyedBinding& bound) {
  std::vector<Candidate> found;
  // Anybody can make a certificate with the names of another: its renewal's key is not for him. A
  // renewer that keeps OLD itself tells more than names.
  const Trust& trust = bound.service->trust();
  if (!trust.is_ours() && !trust.owner_writes) return found;
  const CertificateOutline& old_one = *bound.disk->certificate;
  const std::vector<StoredLeaf>& stored = stored_for(old_one.names);
  if (stored.empty() || has_a_home(old_one.thumbprint, stored)) return found;
  for (const StoredLeaf& each : stored) {
    // Whoever gave it to a person for another name chose the names in it. `import` offers it.
    if (each.where.store.kind == kOwnKind) continue;
    const CertificateOutline& new_one = each.outline;
    if (new_one.not_before < old_one.not_before) continue;
    // What its renewer made after OLD may have a shorter life or another type of key.
    const bool is_lineage =
        new_one.not_before > old_one.not_before && belongs_to_renewer(each.where.store) &&
        keeps_earlier(host_.files, each.where.certificate_path, old_one.thumbprint);
    if ((new_one.not_after <= old_one.not_after || !trust.is_ours()) && !is_lineage) continue;
    // Who may write there could give this site a certificate of his own.
    if (!SafeWay(host_.files).to_content(each.where.certificate_path)) continue;
    if (leaves_home(bound, each.where.certificate_path)) continue;
    if (const SurveyedBinding* other = bound_elsewhere(each.where.certificate_path, bound)) {
      std::string sentence = fmt::format(
          "{} keeps {}: {} has the same names and expires later, but {} already uses it; to use it "
          "here too, run certrebind rebind",
          printable(bound.binding.site), old_one.thumbprint.brief(),
          printable(each.where.certificate_path), printable(other->binding.site));
      if (std::ranges::find(pending_.held, sentence) == pending_.held.end())
        pending_.held.push_back(std::move(sentence));
      return {};  // then no other certificate of these names is certain either
    }
    auto now = candidate(each.where.certificate_path, each.where.key_path);
    if (now && (is_lineage || old_one.key_type == now->leaf.key_type))
      found.push_back(std::move(*now));
  }
  return found;
}

// There may be thousands: most are told apart by their outline, and only the rest is parsed.
const std::vector<StoredLeaf>& Finder::stored_for(const std::vector<std::string>& names) {
  if (!stored_) {
    stored_.emplace();
    for (StoredCertificate& stored : stored_certificates(host_.files, settings_.stores)) {
      OnDisk leaf = look_at(host_.files, stored.certificate_path);
      if (leaf.certificate)
        (*stored_)[set_of(leaf.certificate->names)].push_back(
            {std::move(stored), std::move(*leaf.certificate)});
    }
  }
  static const std::vector<StoredLeaf> kNone;
  auto found = stored_->find(set_of(names));
  return found == stored_->end() ? kNone : found->second;
}

std::optional<Candidate> Finder::candidate(const std::string& certificate_path,
                                           const std::string& key_path) const {
  auto bundle = read_bundle(host_.files, certificate_path);
  if (!bundle) return std::nullopt;
  std::string key = key_path;
  if (key.empty()) key = find_key(host_.files, certificate_path, bundle->leaf).value_or("");
  auto key_bytes = read_pem(host_.files, key);
  if (!key_bytes || key_state(*key_bytes, bundle->leaf) != KeyState::matches) return std::nullopt;
  return Candidate{.leaf = std::move(bundle->leaf),
                   .certificate_path = certificate_path,
                   .key_path = std::move(key),
                   .renewer = renewer_at(host_.files, settings_.stores, certificate_path)};
}

bool Finder::was_undone(const Thumbprint& old_one, const Thumbprint& new_one) const {
  return undone_.contains({old_one.hex(), new_one.hex()});
}

void Finder::settle(const SurveyedBinding& bound, std::vector<Candidate> found, How how) {
  std::erase_if(found, [&](const Candidate& each) {
    return was_undone(bound.disk->certificate->thumbprint, each.leaf.outline.thumbprint);
  });
  if (found.empty()) return;
  std::set<Thumbprint> different;
  for (const Candidate& each : found) different.insert(each.leaf.outline.thumbprint);
  const std::string old_text = bound.disk->certificate->thumbprint.brief();
  if (different.size() > 1) {
    std::vector<std::string> texts;
    for (const Thumbprint& each : different) texts.push_back(each.brief());
    pending_.undecided.push_back(
        {.subject = "pending " + old_text,
         .sentence = fmt::format("{} of {} can be replaced by any of {}: a person must choose one",
                                 old_text, printable(bound.binding.site), join(texts, ", ")),
         .next = fmt::format("certrebind switch {} NEW, or remove the unwanted ones", old_text)});
    return;
  }
  // Prefer a renewer's own files to a copy.
  auto best = std::ranges::find_if(found, [](const Candidate& c) { return !c.renewer.empty(); });
  const Candidate& chosen = best == found.end() ? found.front() : *best;
  add(bound, {.old_one = bound.disk->certificate->thumbprint.hex(),
              .new_one = chosen.certificate_path,
              .key_path = chosen.key_path,
              .how = how,
              .renewer = chosen.renewer});
}

// When the policy's window opens; unset if it is open, or if there is none. Many bindings share a
// policy, and another time zone is not asked for each.
std::optional<WallTime> Finder::opening_of(const Policy& policy) {
  auto [known, is_new] = openings_.try_emplace(&policy);
  const auto window = parse_window(policy.window);
  if (!is_new || !window) return known->second;
  const WallTime now = host_.clock.wall();
  if (!is_open(*window, now)) known->second = next_opening(*window, now);
  return known->second;
}

void Finder::add(const SurveyedBinding& bound, RequestedPair pair) {
  // A user's server may pass on what ours shows, and his file is whatever he likes. A service's own
  // user, or a container, follows root's servers to what root alone could have put there.
  const Trust& trust = bound.service->trust();
  const bool follows = trust.owner_writes && bound.binding.not_written.empty() &&
                       SafeWay(host_.files).to_content(pair.new_one);
  if (!trust.is_ours() && !follows && ours_.contains(pair.old_one))
    return hold(bound, fmt::format("{} of {} is left to its user: {} is also that of another "
                                   "user's server",
                                   printable(bound.binding.site), bound.service->id().text(),
                                   pair.old_one.substr(0, 16)));
  const Policy* policy = policy_for(settings_, bound);
  std::string site = printable(bound.binding.site);
  if (policy && policy->automatic == Policy::Automatic::notify) {
    pending_.undecided.push_back(
        {.subject = "pending " + site,
         .sentence =
             "a new certificate for " + site + " is available; a policy says to notify only",
         .next = fmt::format("certrebind rebind {} {}", pair.old_one.substr(0, 16),
                             shell_quoted(pair.new_one))});
    return hold(bound, site + " is not rebound: a policy says to notify only");
  }
  if (auto opening = policy ? opening_of(*policy) : std::nullopt)
    return hold(bound, fmt::format("{} waits for its window, {}; it opens {}", site, policy->window,
                                   local_minute_text(*opening)));
  if (bound.waits_for_restart()) {
    const RestartPermit permit = restart_permit(settings_, bound.service->id(), host_.clock.wall());
    return hold(bound, fmt::format("{} of {} waits for a restart ({}): {}", site,
                                   bound.service->id().text(), bound.binding.restart_only,
                                   permit.not_now.empty() ? kRestartIt : permit.not_now));
  }
  const Reload reload = bound.service->reload();
  if (!reload.restart_only.empty() && !reload.live) {
    const RestartPermit permit = restart_permit(settings_, bound.service->id(), host_.clock.wall());
    if (permit.is_given && !permit.not_now.empty())
      return hold(bound, fmt::format("{} of {} waits: {}", site, bound.service->id().text(),
                                     permit.not_now));
  }
  // One reload loads everything that is on disk. Further findings for the same OLD are served after
  // it, or are found the next time.
  if (taken_.insert(pair.old_one).second) pending_.pairs.push_back(std::move(pair));
}

}  // namespace

Pending find_pending(const Host& host, const Settings& settings, const Survey& survey,
                     const std::vector<std::vector<Look>>& looks, const History& history,
                     const Doubts& doubts, const ChosenBindings& chosen) {
  return Finder(host, settings, survey, history, doubts).run(looks, chosen);
}

Doubts hear_doubts(const Host& host, const Survey& survey, ConfigTests& tests) {
  for (const SurveyedService& each : survey.surveyed)
    if (own_view_of(*each.service)) tests.begin(host, *each.service);
  Doubts doubts;
  for (const SurveyedService& each : survey.surveyed) {
    for (const Diagnostic& doubt : tests.doubts({each}))
      doubts.try_emplace(each.service, doubt.message);
    // A handshake may show the certificate of the foreign process.
    for (const ForeignListener& foreign : foreign_listeners_of(host, survey, *each.service))
      doubts.try_emplace(each.service, foreign.text());
  }
  return doubts;
}

}  // namespace certrebind
