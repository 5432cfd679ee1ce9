// Makes the plans. One Planner makes the plan of one service, in these steps:
//
// `consider`, for each succession:
//   affected   collects the bindings that serve OLD, or whose file holds it, and chooses for each
//              whether to reload, repoint or rewrite
//   preflight  checks the succession and each of these bindings; an error leaves the succession out
//   add        collects the edits and file contents (FileSet) and the handshakes to expect
// `finish`, once:
//   check_neighbours  no other binding may be affected by an edited or rewritten file
//   check_others      if a bad pair stops the server, all of its other pairs must be good
//   then the files get their final content, and the other sites get one handshake each
//
// Neighbours are checked last, because only then all edits are known. If a step of `finish` fails,
// the whole plan is refused; a failed preflight refuses only its own succession.
#include "plan/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "plan/file_set.h"
#include "plan/sent_chain.h"
#include "store/kept.h"
#include "survey/key_types.h"
#include "survey/policy.h"
#include "survey/same_site.h"
#include "sys/replace.h"
#include "sys/safe_way.h"
#include "transaction/key_pairs.h"

namespace certrebind {

namespace {

// Builds the plan of one service.
class Planner {
 public:
  Planner(const PlanContext& context, const Service& service, const SameSite& same_site,
          const Rivals& rivals, const std::vector<Succession>& successions)
      : context_(context),
        same_site_(same_site),
        rivals_(rivals),
        successions_(successions),
        file_set_(service.trust().container.empty()
                      ? FileSet(service.files(), service.trust().owner)
                      : FileSet(context.files)) {
    plan_.request.service = &service;
  }

  void consider(const Succession& succession);
  std::optional<Plan> finish();

 private:
  using Bindings = std::vector<PlannedBinding>;

  Bindings affected(const Succession& succession) const;
  bool concerns(const SurveyedBinding& bound, const Succession& succession) const;
  bool waits_for_reload(const SurveyedBinding& bound, const Succession& succession) const;
  bool held(const std::string& path, const OldCertificate& old_one) const;
  const std::string& renewer_of(const std::string& path) const;
  PlanKind choose(const SurveyedBinding& bound, const Succession& succession) const;
  std::vector<Finding> preflight(const Succession& succession, const Bindings& bindings) const;
  bool is_renewal(const Succession& succession) const;
  void check_leftover(const PlannedBinding& planned, std::vector<Finding>& findings) const;
  void check_pair(const PlannedBinding& planned, std::vector<Finding>& findings) const;
  void check_owner(const PlannedBinding& planned, std::vector<Finding>& findings) const;
  void check_kind(const PlannedBinding& planned, std::vector<Finding>& findings) const;
  bool has_crossed(const SurveyedBinding& twin, const PlannedBinding& planned) const;
  void check_twin(const PlannedBinding& planned, std::vector<Finding>& findings) const;
  void check_shadowed(const PlannedBinding& planned, std::vector<Finding>& findings) const;
  void check_reader(const Succession& succession, std::vector<Finding>& findings) const;
  void note_never_loaded(const Succession& succession, const Bindings& bindings,
                         std::vector<Finding>& findings) const;
  void note_no_way_back(const Succession& succession, const Bindings& bindings,
                        std::vector<Finding>& findings) const;
  Done add(const PlannedBinding& planned);
  std::optional<Certificate> next_leaf(const PlannedBinding& planned) const;
  void expect(const PlannedBinding& planned);
  void note_names(const PlannedBinding& planned);
  void check_neighbours();
  void check_hidden_pair(const Binding& binding);
  void check_neighbour(const Binding& binding, const NamedFile& named);
  bool has_a_plan_of_its_own(const SurveyedBinding& bound) const;
  void check_others();
  void expect_others();
  void complete();
  void finish(PlannedFile& file);
  void choose_writer();
  void refuse_all(const Error& error);

  const PlanContext& context_;
  const SameSite& same_site_;
  const Rivals& rivals_;
  const std::vector<Succession>& successions_;
  mutable std::map<std::string, std::string> renewers_;  // by path
  FileSet file_set_;
  Plan plan_;
  std::vector<const Succession*> considered_;
  bool refused_ = false;  // the whole plan cannot be carried out
};

bool Planner::waits_for_reload(const SurveyedBinding& bound, const Succession& succession) const {
  if (context_.is_only_served(bound, succession.old_one.thumbprint)) return true;
  auto looked = context_.served.find(&bound);
  bool serves_old = false, serves_other = false;
  if (looked != context_.served.end())
    for (const ShownLeaf& shown : looked->second) {
      serves_old = serves_old || shown.thumbprint == succession.old_one.thumbprint;
      serves_other = serves_other || shown.thumbprint != succession.new_thumbprint();
    }
  if (serves_old) return true;
  return serves_other && held(bound.binding.certificate.path, succession.old_one);
}

// True if OLD was seen at this path.
bool Planner::held(const std::string& path, const OldCertificate& old_one) const {
  return std::ranges::any_of(context_.sightings, [&](const Sighting& seen) {
    return seen.path == path && seen.thumbprint == old_one.thumbprint;
  });
}

// A binding also counts if its server has OLD in memory and its file holds a third certificate. But
// the third one must not be the OLD of another succession, because each binding has one succession.
bool Planner::concerns(const SurveyedBinding& bound, const Succession& succession) const {
  if (bound.left_alone) return false;
  if (bound.holds(succession.old_one.thumbprint)) return true;
  if (bound.holds(succession.new_thumbprint())) return waits_for_reload(bound, succession);
  return context_.is_only_served(bound, succession.old_one.thumbprint) && !succession.is_forced() &&
         !holds_some_old(bound, successions_);
}

Planner::Bindings Planner::affected(const Succession& succession) const {
  Bindings found;
  for (const SurveyedBinding& bound : context_.survey.bindings) {
    if (bound.service != plan_.request.service || !concerns(bound, succession)) continue;
    PlannedBinding planned{
        .bound = &bound, .succession = &succession, .kind = choose(bound, succession)};
    if (bound.disk && !bound.holds(succession.old_one.thumbprint) &&
        planned.kind != PlanKind::reload)
      planned.never_loaded = context_.survey.pairs->of(bound).leaf();
    found.push_back(std::move(planned));
  }
  return found;
}

// The renewer whose store contains the path. Looked up once: thousands of sites may share one
// wildcard.
const std::string& Planner::renewer_of(const std::string& path) const {
  auto [entry, is_new] = renewers_.try_emplace(path);
  if (is_new) entry->second = renewer_at(context_.files, context_.settings.stores, path);
  return entry->second;
}

PlanKind Planner::choose(const SurveyedBinding& bound, const Succession& succession) const {
  if (bound.holds(succession.new_thumbprint()))
    return brings_chain(context_, bound, succession) ? PlanKind::rewrite : PlanKind::reload;
  if (context_.preference == Preference::repoint) return PlanKind::repoint;
  if (context_.preference == Preference::rewrite) return PlanKind::rewrite;
  bool repoints = succession.new_one.home || !renewer_of(bound.binding.certificate.path).empty();
  if (!repoints) return PlanKind::rewrite;
  // If no directive can name NEW's files, the bound file is a copy and gets new content.
  auto edits = plan_.request.service->repoint(bound.binding, succession.new_one.files);
  bool possible = edits || edits.error().code != Code::unsupported;
  return possible || !bound.binding.not_editable.empty() ? PlanKind::repoint : PlanKind::rewrite;
}

void Planner::check_leftover(const PlannedBinding& planned, std::vector<Finding>& findings) const {
  const Binding& binding = planned.bound->binding;
  auto leftover = preflight_leftover(context_.files, binding.certificate.path);
  if (!leftover) leftover = preflight_leftover(context_.files, binding.key.path);
  if (leftover) findings.push_back(std::move(*leftover));
}

// The file at the bound path will be loaded unchanged, so its key must match the certificate.
void Planner::check_pair(const PlannedBinding& planned, std::vector<Finding>& findings) const {
  if (planned.kind != PlanKind::reload) return;
  const Binding& binding = planned.bound->binding;
  const Result<KeyState>& key = context_.survey.pairs->of(*planned.bound).tried_key();
  if (key && is_usable(*key, binding)) return;
  findings.push_back(
      {Severity::error,
       fmt::format("{} uses the key {}, which {}", binding.site, binding.key.path,
                   key ? to_text(*key) : "cannot be read: " + key.error().cause),
       fmt::format("put the key of {} there; the server still serves what it loaded before",
                   binding.certificate.path)});
}

// A user may bind any certificate that he has seen. He gets NEW's key only if he has OLD's.
void Planner::check_owner(const PlannedBinding& planned, std::vector<Finding>& findings) const {
  const Binding& binding = planned.bound->binding;
  const Result<KeyState>& key = context_.survey.pairs->of(*planned.bound).tried_key();
  if (key && *key == KeyState::matches &&
      planned.bound->holds(planned.succession->old_one.thumbprint))
    return;
  findings.push_back(
      {Severity::error,
       fmt::format("{} belongs to {}, who does not have the key of the certificate there",
                   binding.certificate.path, plan_.request.service->trust().whose()),
       "put the matching key at " + binding.key.path});
}

void Planner::check_kind(const PlannedBinding& planned, std::vector<Finding>& findings) const {
  const Binding& binding = planned.bound->binding;
  if (planned.kind != PlanKind::reload && !binding.not_editable.empty())
    findings.push_back({Severity::error,
                        fmt::format("{} ({}) cannot be edited: {}", binding.site,
                                    binding.certificate.where.text(), binding.not_editable),
                        "change it by hand"});
  if (planned.kind != PlanKind::reload && !binding.not_written.empty())
    findings.push_back({Severity::error,
                        fmt::format("the files of {} cannot be changed", binding.site),
                        binding.not_written});
  const Trust& trust = plan_.request.service->trust();
  if (planned.kind != PlanKind::reload && trust.owner_writes) check_owner(planned, findings);
  if (planned.kind != PlanKind::reload && !trust.is_ours() && !trust.owner_writes)
    findings.push_back(
        {Severity::error,
         fmt::format(
             "the server of {} belongs to user {}, and certrebind changes no files for other users",
             binding.site, trust.owner),
         "run certrebind as that user; certificates that are renewed in place are reloaded"});
  const CertificateFiles& new_files = planned.succession->new_one.files;
  const std::string& left = renewer_of(binding.certificate.path);
  if (planned.kind == PlanKind::repoint && !left.empty() &&
      renewer_of(new_files.certificate).empty())
    findings.push_back(
        {Severity::note,
         fmt::format("{} belongs to {}, whose renewals no longer reach {}: no renewer is "
                     "known for {}",
                     binding.certificate.path, left, binding.site, new_files.certificate),
         ""});
  if (planned.kind != PlanKind::rewrite) return;
  for (const std::string& path : {binding.certificate.path, binding.key.path}) {
    const std::string& renewer = renewer_of(path);
    if (!renewer.empty())
      findings.push_back(
          {Severity::error,
           fmt::format("{} belongs to {}, which would overwrite it again", path, renewer),
           "use --repoint"});
  }
}

// True if NEW is already in the file of another binding of the same site. Then the site would have
// two certificates of one key type, and the server would use only the last. A server that selects
// by the names in the certificates may have several for one name.
bool Planner::has_crossed(const SurveyedBinding& twin, const PlannedBinding& planned) const {
  const Binding& binding = planned.bound->binding;
  return !binding.named_by_certificate && !twin.binding.named_by_certificate &&
         std::ranges::equal(binding.endpoints, twin.binding.endpoints, {}, &Endpoint::address,
                            &Endpoint::address) &&
         twin.holds(planned.succession->new_thumbprint()) &&
         !held(twin.binding.certificate.path, planned.succession->old_one);
}

void Planner::check_twin(const PlannedBinding& planned, std::vector<Finding>& findings) const {
  const SurveyedBinding& bound = *planned.bound;
  KeyType new_type = planned.succession->new_one.bundle.leaf.key_type;
  const bool same_type = new_type == planned.succession->old_one.bundle.leaf.key_type;
  for (const SurveyedBinding* other : same_site_.of(bound)) {
    // With the key type of OLD there were already two before, unless NEW itself is now in the other
    // binding's file.
    if (same_type && !has_crossed(*other, planned)) continue;
    const Certificate* leaf = context_.survey.pairs->of(*other).leaf();
    if (leaf == nullptr || leaf->key_type != new_type) continue;
    findings.push_back({Severity::error,
                        fmt::format("{} already has a certificate with an {} key ({}): with two of "
                                    "one type, only the last would be served",
                                    bound.binding.site, to_text(new_type),
                                    other->binding.certificate.where.text()),
                        same_type
                            ? "restore the right certificate at " + other->binding.certificate.path
                            : std::string("issue NEW with the key type of OLD")});
    return;
  }
}

// NEW with another key type than OLD leaves the certificate uncovered that OLD shadowed.
void Planner::check_shadowed(const PlannedBinding& planned, std::vector<Finding>& findings) const {
  const KeyType old_type = planned.succession->old_one.bundle.leaf.key_type;
  const KeyType new_type = planned.succession->new_one.bundle.leaf.key_type;
  if (new_type == old_type) return;
  for (const SurveyedBinding& hidden : context_.survey.shadowed) {
    const auto siblings = same_site_.of(hidden);
    if (hidden.binding.never_chosen || key_type_on_disk(hidden) != old_type ||
        std::ranges::find(siblings, planned.bound) == siblings.end())
      continue;
    findings.push_back(
        {Severity::error,
         fmt::format("with an {} key instead of {}, {} would show {} again, which is named at {}",
                     to_text(new_type), to_text(old_type), hidden.binding.site,
                     hidden.binding.certificate.path, hidden.binding.certificate.where.text()),
         "remove that directive and its key's, or issue NEW with the key type of OLD"});
    return;
  }
}

bool readable_by(const FileInfo& info, uint32_t user) {
  if (user == 0) return true;
  return info.owner == user ? (info.mode & 0400) != 0 : (info.mode & 0044) != 0;
}

void Planner::check_reader(const Succession& succession, std::vector<Finding>& findings) const {
  auto key = context_.files.stat(succession.new_one.files.key);
  uint32_t reader = plan_.request.service->key_reader();
  if (!key || readable_by(*key, reader)) return;
  findings.push_back({Severity::error,
                      fmt::format("{} cannot be read by the server, which runs as user {}",
                                  succession.new_one.files.key, reader),
                      "give that user the right to read it, or use --rewrite"});
}

// The certificate that the server itself will use after a forced reload, if it keeps one for its
// next reload.
std::optional<Certificate> Planner::next_leaf(const PlannedBinding& planned) const {
  const std::string& path = planned.bound->binding.next_certificate;
  if (path.empty() || !planned.succession->is_forced()) return std::nullopt;
  auto bundle = read_bundle(context_.files, path);
  if (!bundle) return std::nullopt;
  return std::move(bundle->leaf);
}

// A person may have swapped OLD and NEW.
void refuse_shorter(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.risk != Risk::shorter) continue;
    finding.severity = Severity::error;
    finding.next = "check that OLD and NEW are not swapped";
  }
}

std::vector<Finding> Planner::preflight(const Succession& succession,
                                        const Bindings& bindings) const {
  std::vector<Finding> findings;
  // The outgoing certificate may be invalid or expired.
  bool all_go = std::ranges::all_of(
      bindings, [&](const PlannedBinding& planned) { return next_leaf(planned).has_value(); });
  const bool opens = std::ranges::all_of(bindings, [](const PlannedBinding& planned) {
    return planned.bound->binding.has_passphrase;
  });
  if (!all_go)
    findings = preflight_but_chain(succession.old_one, succession.new_one, context_.now,
                                   opens ? Passphrase::known : Passphrase::none);
  bool repoints = false, reloads = false;
  for (const PlannedBinding& planned : bindings) {
    std::vector<Finding> more =
        preflight_binding(planned.bound->binding, succession.old_one, succession.new_one);
    findings.insert(findings.end(), more.begin(), more.end());
    check_leftover(planned, findings);
    check_pair(planned, findings);
    check_kind(planned, findings);
    check_twin(planned, findings);
    check_shadowed(planned, findings);
    check_sent_chain(context_, planned, findings);
    repoints = repoints || planned.kind == PlanKind::repoint;
    reloads = reloads || planned.kind == PlanKind::reload;
  }
  note_never_loaded(succession, bindings, findings);
  if (repoints) check_reader(succession, findings);
  if (reloads && !succession.is_forced()) note_no_way_back(succession, bindings, findings);
  if (!reloads && !is_renewal(succession)) refuse_shorter(findings);
  accept(succession.accepted,
         fmt::format("certrebind rebind {} {}", succession.old_one.thumbprint.brief(),
                     shell_quoted(printable(succession.new_one.files.certificate))),
         findings);
  return findings;
}

// True if it is no person's word alone that NEW succeeds OLD: OLD was seen where NEW is, or lies
// beside it in its renewer's directory.
bool Planner::is_renewal(const Succession& succession) const {
  const std::string& path = succession.new_one.files.certificate;
  if (succession.how != How::declared || held(path, succession.old_one)) return true;
  return !renewer_of(path).empty() &&
         keeps_earlier(context_.files, path, succession.old_one.thumbprint);
}

// Another program overwrote OLD, and NEW will overwrite that certificate.
void Planner::note_never_loaded(const Succession& succession, const Bindings& bindings,
                                std::vector<Finding>& findings) const {
  std::map<std::string, std::vector<const PlannedBinding*>> by_path;
  for (const PlannedBinding& planned : bindings)
    if (planned.never_loaded) by_path[planned.bound->binding.certificate.path].push_back(&planned);
  const std::string old_text = succession.old_one.thumbprint.brief();
  for (const auto& [path, planned] : by_path) {
    const CertificateOutline& lies = planned.front()->never_loaded->outline;
    std::string site = planned.front()->bound->binding.site;
    if (planned.size() > 1) site += fmt::format(" and {} more", planned.size() - 1);
    findings.push_back(
        {Severity::note,
         fmt::format(
             "{}: the server serves {} from memory; {} is on disk at {} and was never loaded: "
             "it is replaced now, and restored if the new certificate cannot be proven",
             site, old_text, lies.thumbprint.brief(), path),
         ""});
    if (lies.not_after > succession.new_one.bundle.leaf.outline.not_after)
      findings.push_back({Severity::warning,
                          fmt::format("{} at {} expires later than the new certificate",
                                      lies.thumbprint.brief(), path),
                          fmt::format("to serve that one instead: certrebind rebind {} {}",
                                      old_text, shell_quoted(path))});
  }
}

// Another program overwrote OLD: we have no file to restore.
void Planner::note_no_way_back(const Succession& succession, const Bindings& bindings,
                               std::vector<Finding>& findings) const {
  std::string sentence =
      "the old certificate is no longer on disk: if the new one cannot be "
      "proven, the server keeps the old one in memory, and no file can be restored";
  const Binding& binding = bindings.front().bound->binding;
  auto kept =
      kept_pairs(context_.files, context_.settings.state_directory, binding.certificate.path);
  bool is_kept = kept && renewer_of(binding.certificate.path).empty() &&
                 std::ranges::any_of(kept->pairs, [&](const KeptPair& pair) {
                   return pair.bundle.leaf.outline.thumbprint == succession.old_one.thumbprint;
                 });
  if (is_kept)
    sentence +=
        fmt::format("; certrebind kept a copy: certrebind restore {} {}",
                    shell_quoted(binding.certificate.path), succession.old_one.thumbprint.brief());
  findings.push_back({Severity::note, std::move(sentence), ""});
}

void Planner::expect(const PlannedBinding& planned) {
  const Binding& binding = planned.bound->binding;
  if (binding.role == Role::client) {
    plan_.request.unproven.push_back(
        fmt::format("{}: a client certificate for an upstream is loaded and tested, but no "
                    "handshake can show it",
                    binding.site));
    return;
  }
  if (planned.bound->waits_for_restart()) {
    for (const Endpoint& endpoint : binding.endpoints)
      plan_.request.unproven.push_back(
          fmt::format("{} at {}: {}; next: {}", printable(binding.site),
                      printable(endpoint.listens), binding.restart_only, kRestartIt));
    return;
  }
  const Succession& succession = *planned.succession;
  auto next = next_leaf(planned);
  const Certificate& wanted = next ? *next : succession.new_one.bundle.leaf;
  const Certificate& old_leaf = succession.old_one.bundle.leaf;
  const Certificate& replaced = planned.replaced();
  KeyType old_type = replaced.key_type == old_leaf.key_type ? old_leaf.key_type : KeyType::other;
  std::vector<Expectation> more = expectations_of(binding, replaced.outline.thumbprint, old_type,
                                                  wanted.outline.thumbprint, wanted.key_type);
  std::vector<Thumbprint> above;
  if (!next) {
    Bundle sent = to_be_sent(context_, planned);
    for (size_t i = 0; i < sent.connected(); ++i)
      if (!sent.chain[i].is_self_signed()) above.push_back(sent.chain[i].outline.thumbprint);
  }
  for (Expectation& expected : more) expected.new_above = above;
  if (planned.never_loaded)
    for (Expectation& expected : more) expected.in_memory = succession.old_one.thumbprint;
  for (const Endpoint& endpoint : binding.endpoints)
    if (!endpoint.unproven.empty())
      plan_.request.unproven.push_back(fmt::format("{} at {}: {}", printable(binding.site),
                                                   printable(endpoint.listens), endpoint.unproven));
  for (const std::string& name : binding.unprobed_names)
    plan_.request.unproven.push_back(fmt::format("{}: the name {} cannot be sent in a handshake",
                                                 printable(binding.site), printable(name)));
  plan_.request.expectations.insert(plan_.request.expectations.end(),
                                    std::make_move_iterator(more.begin()),
                                    std::make_move_iterator(more.end()));
}

void Planner::note_names(const PlannedBinding& planned) {
  std::vector<std::string> won =
      names_won(planned.bound->binding, planned.succession->old_one.bundle.leaf,
                planned.succession->new_one.bundle.leaf);
  if (won.empty()) return;
  plan_.findings.push_back(
      {Severity::note,
       fmt::format("{} gains {}: the old certificate did not cover {}", planned.bound->binding.site,
                   join(won, ", "), won.size() == 1 ? "it" : "them"),
       ""});
}

Done Planner::add(const PlannedBinding& planned) {
  const Binding& binding = planned.bound->binding;
  const NewCertificate& new_one = planned.succession->new_one;
  if (planned.kind == PlanKind::repoint) {
    auto edits = plan_.request.service->repoint(binding, new_one.files);
    if (!edits) return pass(edits);
    if (Done edited = file_set_.edit(*edits); !edited) return edited;
  } else if (planned.kind == PlanKind::rewrite) {
    const auto& disk = planned.bound->disk;
    const Thumbprint* expected =
        disk && disk->certificate ? &disk->certificate->thumbprint : nullptr;
    if (Done built = file_set_.rewrite(binding, new_one, expected); !built) return built;
  }
  expect(planned);
  note_names(planned);
  plan_.bindings.push_back(planned);
  return {};
}

void Planner::refuse_all(const Error& error) {
  std::string next =
      error.code == Code::denied && error.hint.empty() ? "run it as root" : error.hint;
  plan_.findings.push_back({Severity::error, error.message(), std::move(next)});
  refused_ = true;
}

void Planner::consider(const Succession& succession) {
  considered_.push_back(&succession);
  Bindings bindings = affected(succession);
  if (bindings.empty()) return;
  std::vector<Finding> findings = preflight(succession, bindings);
  if (const std::string& doubt = plan_.request.service->trust().doubt; !doubt.empty())
    findings.push_back({Severity::error,
                        fmt::format("certrebind does not touch {}, because users other than root "
                                    "can change what it runs: {}",
                                    plan_.request.service->id().text(), doubt),
                        "let only root change that (chown root, chmod go-w)"});
  plan_.findings.insert(plan_.findings.end(), findings.begin(), findings.end());
  if (refuses(findings)) return;
  for (const PlannedBinding& planned : bindings)
    if (Done added = add(planned); !added) return refuse_all(added.error());
}

void Planner::check_neighbour(const Binding& binding, const NamedFile& named) {
  if (named.path.empty()) return;
  if (file_set_.edits_span(named.where))
    return refuse_all(
        {Code::failed, "edit", named.where.text(),
         fmt::format("{} also uses it, with another certificate", printable(binding.site)),
         "give each site its own directive"});
  if (!file_set_.rewrites_any()) return;
  auto real = context_.files.real_path(named.path);
  if (real && file_set_.rewrites(*real))
    refuse_all({Code::failed, "rewrite", *real,
                fmt::format("{} ({}) also uses it, with another certificate", binding.site,
                            named.where.text()),
                "use --repoint"});
}

// True if a plan of another service will change this binding too.
bool Planner::has_a_plan_of_its_own(const SurveyedBinding& bound) const {
  return bound.service != plan_.request.service && !bound.left_alone &&
         std::ranges::any_of(considered_, [&](const Succession* succession) {
           return concerns(bound, *succession);
         });
}

// An edit or a rewrite for one binding must not affect another binding that keeps its certificate.
void Planner::check_neighbours() {
  const auto planned = plan_.planned();
  for (const SurveyedBinding& bound : context_.survey.bindings) {
    if (planned.contains(&bound) || has_a_plan_of_its_own(bound)) continue;
    // Anybody may name our files in a configuration of his own.
    if (!bound.service->trust().is_ours()) continue;
    check_neighbour(bound.binding, bound.binding.certificate);
    check_neighbour(bound.binding, bound.binding.key);
    check_neighbour(bound.binding, bound.binding.chain);
  }
  for (const SurveyedBinding& hidden : context_.survey.shadowed)
    if (hidden.service == plan_.request.service) check_hidden_pair(hidden.binding);
}

// A certificate that is never shown is loaded all the same: its key must still match.
void Planner::check_hidden_pair(const Binding& binding) {
  auto is_rewritten = [&](const NamedFile& named) {
    auto real = named.path.empty() ? Result<std::string>(std::string())
                                   : context_.files.real_path(named.path);
    return real && file_set_.rewrites(*real);
  };
  if (is_rewritten(binding.certificate) == is_rewritten(binding.key)) return;
  check_neighbour(binding, binding.certificate);
  check_neighbour(binding, binding.key);
}

// If one bad pair stops the server or its TLS, the pairs that this plan does not touch must be good
// too.
void Planner::check_others() {
  if (plan_.request.service->on_bad_certificate() == OnBadCertificate::keeps_old ||
      plan_.bindings.empty())
    return;
  const auto planned = plan_.planned();
  std::vector<const Binding*> others;
  for (const SurveyedBinding& bound : context_.survey.bindings)
    if (bound.service == plan_.request.service && !planned.contains(&bound))
      others.push_back(&bound.binding);
  for (const SurveyedBinding& hidden : context_.survey.shadowed)
    if (hidden.service == plan_.request.service) others.push_back(&hidden.binding);
  const bool dies = plan_.request.service->on_bad_certificate() == OnBadCertificate::dies;
  const char* what = dies ? "; a reload would stop the server and all of its sites"
                          : "; after a reload the server would go on without TLS";
  for (const BrokenPair& broken : broken_pairs(plan_.request.service->files(), others)) {
    refused_ = true;
    plan_.findings.push_back(
        {Severity::error, broken.text() + what,
         "repair that certificate and key first; until then do not reload or restart the server"});
  }
}

// Plans one handshake for each other site at each of its endpoints, to see whether it answers.
void Planner::expect_others() {
  const auto planned = plan_.planned();
  using Asked = std::tuple<Address, StartTls, std::string, KeyType>;
  std::set<Asked> asked;
  for (const SurveyedBinding& bound : context_.survey.bindings) {
    if (bound.service != plan_.request.service || planned.contains(&bound) || bound.left_alone)
      continue;
    const KeyType type = rivals_.type_to_ask(bound);
    std::set<std::pair<Address, StartTls>> done;
    for (Expectation& other : expectations_of(bound.binding, {}, type, {}, type))
      if (done.emplace(other.address, other.start_tls).second &&
          asked.emplace(other.address, other.start_tls, other.sni, type).second)
        plan_.request.others.push_back(std::move(other));
  }
}

void Planner::complete() {
  expect_others();
  plan_.note_successions();
  plan_.note_loads(context_.files);
  const auto& surveyed = context_.survey.surveyed;
  auto known = std::ranges::find(surveyed, plan_.request.service, &SurveyedService::service);
  if (known == surveyed.end()) return;
  plan_.request.configured_by = known->configured_by;
  plan_.request.error_logs = known->error_logs;
}

void Planner::finish(PlannedFile& file) {
  auto staging = staging_directory(context_.files, file.path, context_.survey.read_whole);
  if (!staging) return refuse_all(staging.error());
  file.staging = std::move(*staging);
  if (!file.note.empty()) plan_.findings.push_back({Severity::note, file.note, ""});
}

// Root writes where only root may change the way, links included; anywhere else the server's owner
// does.
void Planner::choose_writer() {
  const Trust& trust = plan_.request.service->trust();
  if (trust.is_ours() || !trust.container.empty()) return;
  std::set<std::string> paths;
  for (const PlannedFile& file : plan_.request.files) paths.insert(file.path);
  for (const PlannedBinding& planned : plan_.bindings) {
    const Binding& binding = planned.bound->binding;
    for (const NamedFile* named : {&binding.certificate, &binding.key, &binding.chain})
      if (!named->path.empty()) paths.insert(named->path);
  }
  SafeWay way(context_.files);
  if (!std::ranges::all_of(paths, [&](const std::string& path) { return !!way.to(path); }))
    plan_.request.files_of = trust.owner;
}

std::optional<Plan> Planner::finish() {
  if (plan_.bindings.empty() && plan_.findings.empty()) return std::nullopt;
  if (!refused_) check_neighbours();
  if (!refused_) check_others();
  if (!refused_) {
    auto files = file_set_.finish();
    if (files) {
      plan_.request.files = std::move(*files);
      for (PlannedFile& file : plan_.request.files) finish(file);
      choose_writer();
    } else {
      refuse_all(files.error());
    }
  }
  if (refused_) plan_.refuse({});
  const ServiceId& id = plan_.request.service->id();
  plan_.restarts = restart_permit(context_.settings, id, context_.now).not_now.empty();
  if (!plan_.does_nothing()) complete();
  return std::move(plan_);
}

}  // namespace

bool PlanContext::is_only_served(const SurveyedBinding& bound, const Thumbprint& old_one) const {
  auto stale = only_served.find(&bound);
  return bound.not_loaded == old_one ||
         (stale != only_served.end() && stale->second.thumbprint == old_one);
}

std::vector<const SurveyedBinding*> needs_look(const Survey& survey,
                                               const std::vector<Succession>& successions) {
  std::vector<const SurveyedBinding*> found;
  for (const SurveyedBinding& bound : survey.bindings)
    if (std::ranges::any_of(successions, [&](const Succession& succession) {
          return !succession.is_forced() && bound.holds(succession.new_thumbprint());
        }))
      found.push_back(&bound);
  return found;
}

std::vector<Plan> make_plans(const PlanContext& context,
                             const std::vector<Succession>& successions) {
  std::vector<Plan> plans;
  const SameSite same_site(context.survey);
  const Rivals rivals(context.survey);
  for (const auto& service : context.survey.services.found) {
    Planner planner(context, *service, same_site, rivals, successions);
    for (const Succession& succession : successions) planner.consider(succession);
    if (auto plan = planner.finish()) plans.push_back(std::move(*plan));
  }
  return plans;
}

}  // namespace certrebind
