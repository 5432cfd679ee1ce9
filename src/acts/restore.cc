// Restores a kept pair at a binding. `restore_kept` goes through these steps:
//
//   bindings_meant   the bindings of the one certificate path that the user means
//   choose           the kept pair: the one with this thumbprint, or the last proven one
//   may_be_put_back  refuses if a renewer owns the files, or if a good certificate would be
//                    replaced by one that covers fewer names
//   files_of         computes the files once without writing, to find errors before any server is
//                    touched
//   Restore::of      one transaction for each service that binds the path
//
// The first service writes the files, the others only reload. If one of them cannot serve the pair,
// the files are put back for all; but only if they held a good pair before, since otherwise there
// is nothing better to return to.
#include "acts/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "acts/keep_proven.h"
#include "acts/undo.h"
#include "base/text.h"
#include "observe/renewed_in_memory.h"
#include "plan/file_set.h"
#include "plan/preflight.h"
#include "store/own.h"
#include "survey/lookup.h"
#include "survey/policy.h"
#include "survey/shadowed.h"
#include "sys/replace.h"

namespace certrebind {

namespace {

using Bindings = std::vector<const SurveyedBinding*>;

// True if the user means this binding: by its site, one of its names, or the path of one of its
// files, links followed.
bool is_meant(const Files& files, const Binding& binding, const std::string& typed) {
  if (binding.site == typed ||
      std::ranges::find(binding.names, to_lower(typed)) != binding.names.end())
    return true;
  if (binding.certificate.path == typed || binding.key.path == typed) return true;
  if (!is_path(typed)) return false;
  auto real = files.real_path(typed), bound = files.real_path(binding.certificate.path);
  return real && bound && *real == *bound;
}

// The bindings of the one certificate path that the user means.
Result<Bindings> bindings_meant(const Files& files, const Survey& survey,
                                const std::string& typed) {
  std::set<std::string> paths;
  const SurveyedBinding* of_user = nullptr;
  for (const SurveyedBinding& bound : survey.bindings) {
    if (bound.binding.certificate.path.empty() || !is_meant(files, bound.binding, typed)) continue;
    // A user could name the path of another certificate, and get its key.
    if (bound.service->trust().is_ours())
      paths.insert(bound.binding.certificate.path);
    else
      of_user = &bound;
  }
  if (paths.empty() && of_user != nullptr)
    return fail(Code::denied, "restore", printable(typed),
                fmt::format("{} belongs to {}, and certrebind keeps no keys of others",
                            of_user->service->id().text(), of_user->service->trust().whose()),
                "put a good certificate and key there, or certrebind undo");
  if (paths.empty()) return fail(no_such_site(survey, "restore", typed));
  if (paths.size() > 1)
    return fail(Code::usage, "restore", typed,
                "it uses " + join(std::vector<std::string>(paths.begin(), paths.end()), " and "),
                "give one of these paths");
  Bindings meant;
  for (const SurveyedBinding& bound : survey.bindings)
    if (bound.binding.certificate.path == *paths.begin() && bound.service->trust().is_ours())
      meant.push_back(&bound);
  return meant;
}

bool lies_there(const Files& files, const Binding& binding, const KeptPair& pair) {
  auto holds = [&](const std::string& path, const std::string& bytes) {
    auto now = files.read(path, kPemLimit);
    return now && *now == bytes;
  };
  return holds(binding.certificate.path, pair.certificate) &&
         (pair.key.empty() || holds(binding.key.path, pair.key)) &&
         (pair.chain.empty() || binding.chain.path.empty() ||
          holds(binding.chain.path, pair.chain));
}

std::string list_of(const std::string& path) {
  return "certrebind restore --list " + shell_quoted(path);
}

// The pair that the user named, whatever the files hold.
Result<KeptPair> named(const Kept& kept, const std::string& path, const std::string& typed,
                       WallTime now) {
  auto thumbprint = TypedThumbprint::parse(typed);
  if (!thumbprint) return pass(thumbprint);
  for (const KeptPair& pair : kept.pairs) {
    const CertificateOutline& leaf = pair.bundle.leaf.outline;
    if (!thumbprint->matches(leaf.thumbprint, pair.bundle.leaf.der)) continue;
    if (leaf.not_after >= now) return pair;
    return fail(Code::usage, "restore", path,
                fmt::format("the kept certificate {} expired on {} UTC", leaf.thumbprint.brief(),
                            to_text(leaf.not_after)),
                list_of(path));
  }
  return fail(Code::usage, "restore", path,
              "no kept certificate has the thumbprint " + thumbprint->digits(), list_of(path));
}

// The last proven pair that has not expired. Unset if it is already in the files: repeating the
// command must not restore an older pair. Then `idle` says so.
Result<std::optional<KeptPair>> newest(const Files& files, const Kept& kept, const Binding& binding,
                                       WallTime now, RestoreResult& idle) {
  const std::string& path = binding.certificate.path;
  std::vector<const KeptPair*> valid;
  for (const KeptPair& pair : kept.pairs)
    if (pair.bundle.leaf.outline.not_after >= now) valid.push_back(&pair);
  if (valid.empty())
    return fail(Code::failed, "restore", path, "all kept certificates have expired", list_of(path));
  if (!lies_there(files, binding, *valid.front())) return *valid.front();
  idle.idle = fmt::format("the last proven certificate is already at {}", printable(path));
  if (valid.size() > 1)
    idle.next = fmt::format("to restore the one before: certrebind restore {} {}",
                            shell_quoted(printable(path)),
                            valid[1]->bundle.leaf.outline.thumbprint.brief());
  return std::nullopt;
}

// Unset if there is nothing to restore; then `idle` says why.
Result<std::optional<KeptPair>> choose(const TransactionContext& context, const Binding& binding,
                                       const std::string& typed, RestoreResult& idle) {
  const std::string& path = binding.certificate.path;
  auto kept = kept_pairs(context.host.files, context.settings.state_directory, path);
  if (!kept) return pass(kept);
  const WallTime now = context.host.clock.wall();
  if (!kept->pairs.empty() && typed.empty())
    return newest(context.host.files, *kept, binding, now, idle);
  if (!kept->pairs.empty()) {
    auto pair = named(*kept, path, typed, now);
    return pair ? Result<std::optional<KeptPair>>(std::move(*pair)) : pass(pair);
  }
  if (!kept->damaged.empty())
    return fail(Code::failed, "restore", path,
                "the kept files are damaged: " + join(kept->damaged, ", "),
                "install a good certificate and key by hand");
  idle.idle = fmt::format("nothing was kept for {} yet", printable(path));
  idle.next =
      "a pair is kept once a handshake has proven it: after a rebind, or by certrebind rebind "
      "--pending";
  return std::nullopt;
}

// True if the files hold a pair that could be served too.
bool is_whole(PairOnDisk& pair, WallTime now) {
  return pair.leaf() != nullptr && pair.leaf()->outline.not_after >= now &&
         pair.key() == KeyState::matches;
}

// Refuses files that a renewer owns.
Done is_nobodys(const TransactionContext& context, const KeptPaths& paths) {
  for (const std::string& path : {paths.certificate, paths.key, paths.chain}) {
    const std::string renewer = renewer_at(context.host.files, context.settings.stores, path);
    if (!renewer.empty())
      return fail(
          Code::unsupported, "restore", path,
          fmt::format("the file belongs to {}, which would take the restored certificate for its "
                      "own and not renew it",
                      renewer),
          renewer == kOwnKind ? "bring a good one: certrebind import FILE"
                              : fmt::format("make {} issue a new one: certrebind renew {}", renewer,
                                            shell_quoted(paths.certificate)));
  }
  return {};
}

// Refuses to replace a good certificate by one that covers fewer names.
Done covers_as_much(const SurveyedBinding& bound, const Certificate& lies, const KeptPair& pair) {
  const Binding& binding = bound.binding;
  if (binding.role == Role::client) return {};
  std::vector<std::string> lost = names_lost(binding, lies, pair.bundle.leaf);
  if (lost.empty()) return {};
  return fail(
      Code::unsupported, "restore", binding.certificate.path,
      fmt::format("{} would lose {}: the kept certificate does not cover {}",
                  printable(binding.site), join(lost, ", "), lost.size() == 1 ? "it" : "them"),
      list_of(binding.certificate.path));
}

// Why the pair must not be put into these files. Going back to an earlier expiry is allowed: the
// user asked for it.
Done may_be_put_back(const TransactionContext& context, const Bindings& meant,
                     const KeptPair& pair) {
  std::set<KeptPaths> looked_at;
  std::optional<Certificate> lies;  // the good certificate on disk, if any
  for (const SurveyedBinding* bound : meant) {
    const KeptPaths paths = kept_paths_of(bound->binding);
    if (looked_at.insert(paths).second) {
      if (Done may = is_nobodys(context, paths); !may) return may;
      PairOnDisk now(*bound);
      lies = is_whole(now, context.host.clock.wall()) ? std::optional(*now.leaf()) : std::nullopt;
    }
    if (!lies) continue;
    if (Done may = covers_as_much(*bound, *lies, pair); !may) return may;
  }
  return {};
}

// Done once: thousands of sites may share one file.
Result<std::vector<PlannedFile>> files_of(const TransactionContext& context, const Survey& survey,
                                          const Bindings& bindings, const KeptPair& pair) {
  FileSet set(context.host.files);
  std::set<KeptPaths> done;
  for (const SurveyedBinding* bound : bindings)
    if (done.insert(kept_paths_of(bound->binding)).second)
      if (Done put = set.put_back(bound->binding, pair); !put) return pass(put);
  auto files = set.finish();
  if (!files) return files;
  std::erase_if(*files, [](const PlannedFile& file) { return file.before == file.after; });
  for (PlannedFile& file : *files) {
    auto staging = staging_directory(context.host.files, file.path, survey.read_whole);
    if (!staging) return pass(staging);
    file.staging = std::move(*staging);
  }
  return files;
}

// The certificate that each endpoint serves: asked with the key type of the kept one, or else with
// any.
std::vector<std::optional<Certificate>> shown_to(const Prober& prober,
                                                 const std::vector<Expectation>& all) {
  std::vector<Target> targets;
  for (const Expectation& expected : all) {
    targets.insert(targets.end(), 2, expected.new_target());
    targets.back().key_type = KeyType::other;
  }
  std::vector<Result<Served>> served = prober.handshake_all(targets);
  std::vector<std::optional<Certificate>> shown;
  for (size_t i = 0; i < served.size(); i += 2) {
    const Result<Served>& answer = served[i] ? served[i] : served[i + 1];
    auto leaf = Certificate::parse(answer ? answer->leaf_der : "");
    shown.push_back(leaf ? std::optional(std::move(*leaf)) : std::nullopt);
  }
  return shown;
}

// Sets what a failure must return to: the certificate on disk, and the one that is served. An
// endpoint that serves nothing now, but must afterwards, counts as having served the kept one.
void note_what_was_before(const Certificate* disk, const std::optional<Certificate>& shown,
                          Expectation& expected) {
  const Certificate* before = disk != nullptr ? disk : shown ? &*shown : nullptr;
  if (before == nullptr) return;
  expected.old_thumbprint = before->outline.thumbprint;
  expected.old_type = before->key_type;
  if (!shown || shown->outline.thumbprint == expected.old_thumbprint) return;
  expected.in_memory = shown->outline.thumbprint;
  if (shown->key_type != before->key_type) expected.old_type = KeyType::other;
}

// All bindings have the same file, so its content is the same for all.
std::vector<Expectation> expectations_for(const Prober& prober, const Bindings& bindings,
                                          const KeptPair& pair) {
  const Certificate& leaf = pair.bundle.leaf;
  const Thumbprint& kept = leaf.outline.thumbprint;
  std::vector<Expectation> all;
  for (const SurveyedBinding* bound : bindings)
    if (bound->binding.role != Role::client && !bound->waits_for_restart())
      std::ranges::move(expectations_of(bound->binding, kept, leaf.key_type, kept, leaf.key_type),
                        std::back_inserter(all));
  PairOnDisk lying(*bindings.front());
  const auto shown = shown_to(prober, all);
  for (size_t i = 0; i < all.size(); ++i) note_what_was_before(lying.leaf(), shown[i], all[i]);
  return all;
}

TransactionRequest work_for(const TransactionContext& context, const Service& service,
                            const Bindings& bindings, const KeptPair& pair) {
  TransactionRequest work;
  work.act = Act::restore;
  work.service = &service;
  work.mends = true;
  std::set<std::string> loads;
  JournalSuccession succession;
  succession.new_thumbprint = pair.bundle.leaf.outline.thumbprint.hex();
  for (const SurveyedBinding* bound : bindings) {
    if (bound->disk && bound->disk->certificate)
      succession.old_thumbprint = bound->disk->certificate->thumbprint.hex();
    succession.sites.push_back(bound->binding.site);
    for (std::string& path : bound_files(context.host.files, bound->binding))
      loads.insert(std::move(path));
  }
  work.expectations = expectations_for(context.prober, bindings, pair);
  work.loads.assign(loads.begin(), loads.end());
  work.successions.push_back(std::move(succession));
  return work;
}

std::string story_of(const SurveyedBinding& bound, const KeptPair& pair,
                     const std::vector<PlannedFile>& files) {
  const CertificateOutline& leaf = pair.bundle.leaf.outline;
  std::string story = fmt::format("restore of {}: {}, which expires on {} UTC",
                                  printable(bound.binding.certificate.path),
                                  leaf.thumbprint.brief(), to_text(leaf.not_after));
  if (!bound.disk || !bound.disk->certificate)
    story += ", instead of a file without a certificate";
  else if (bound.disk->certificate->thumbprint != leaf.thumbprint)
    story += ", instead of " + bound.disk->certificate->thumbprint.brief();
  for (const PlannedFile& file : files)
    if (!file.note.empty()) story += "\nnote: " + file.note;
  return story;
}

// Restores at one service after the other. If several bind the path, either all of them serve the
// kept pair, or none.
class Restore {
 public:
  Restore(const TransactionContext& context, const Survey& survey, const KeptPair& pair,
          bool can_go_back)
      : context_(context), survey_(survey), pair_(pair), can_go_back_(can_go_back) {}

  // Returns false if the restore failed; then the others need not be tried. `last`: this is the
  // last service, so the decision stands.
  bool of(const Service& service, const Bindings& bindings, bool last);
  std::vector<TransactionResult> accounts() && { return std::move(accounts_); }

 private:
  Result<TransactionResult> carry_out(const Service& service, const Bindings& bindings, bool last);
  void fail_together(TransactionResult& failed);

  const TransactionContext& context_;
  const Survey& survey_;
  const KeptPair& pair_;
  const bool can_go_back_;  // the files held a good pair before
  int64_t writer_ = 0;      // transaction that wrote the files; 0: none
  std::vector<TransactionResult> accounts_;
};

// If the files held no good pair before, the restored pair stays: there is nothing better to return
// to.
void Restore::fail_together(TransactionResult& failed) {
  if (writer_ == 0) return;
  if (can_go_back_) return take_back(context_, writer_, failed, accounts_);
  failed.text += fmt::format(
      "\nthe files that transaction {} restored stay, because they held no good pair before",
      writer_);
}

Result<TransactionResult> Restore::carry_out(const Service& service, const Bindings& bindings,
                                             bool last) {
  // The second server that binds the same path has nothing to replace: it only reloads.
  auto files = files_of(context_, survey_, bindings, pair_);
  if (!files) return pass(files);
  const std::string story = story_of(*bindings.front(), pair_, *files);
  const bool writes = !files->empty();
  TransactionRequest work = work_for(context_, service, bindings, pair_);
  work.files = std::move(*files);
  keep_memory(context_.prober, survey_, work);
  work.decided = last;
  auto account = certrebind::carry_out(context_, std::move(work));
  if (!account) return account;
  account->text = story + "\n" + account->text;
  if (writes && account->outcome == Outcome::committed) writer_ = account->transaction;
  return account;
}

bool Restore::of(const Service& service, const Bindings& bindings, bool last) {
  auto done = carry_out(service, bindings, last);
  TransactionResult account =
      done ? std::move(*done)
           : TransactionResult{.service = service.id(),
                               .outcome = Outcome::refused,
                               .text = done.error().message() + "\n" + done.error().hint};
  const size_t place = accounts_.size();
  accounts_.push_back(account);
  if (account.outcome == Outcome::committed) return true;
  fail_together(account);
  accounts_[place] = std::move(account);
  return false;
}

void keep(const TransactionContext& context, const Binding& binding, const KeptPair& pair,
          std::vector<TransactionResult>& accounts) {
  if (std::ranges::any_of(accounts, &TransactionResult::owed)) return;
  tell_if_not(keep_pair(context.host.files, context.settings.state_directory,
                        kept_paths_of(binding), pair.bundle.leaf.outline.thumbprint),
              accounts.back());
}

}  // namespace

Result<KeptFor> kept_for(const Host& host, const Settings& settings,
                         const std::vector<ServiceId>& only, const std::string& typed) {
  auto surveyed = survey(host, only);
  if (!surveyed) return pass(surveyed);
  put_all_back(*surveyed);
  auto meant = bindings_meant(host.files, *surveyed, typed);
  if (!meant) return pass(meant);
  const std::string& path = meant->front()->binding.certificate.path;
  auto kept = kept_pairs(host.files, settings.state_directory, path);
  if (!kept) return pass(kept);
  return KeptFor{path, std::move(*kept)};
}

Result<RestoreResult> restore_kept(const TransactionContext& context,
                                   const std::vector<ServiceId>& only, const std::string& typed,
                                   const std::string& thumbprint) {
  auto surveyed = survey(context.host, only);
  if (!surveyed) return pass(surveyed);
  put_all_back(*surveyed);
  prefer_restarts(context.settings, *surveyed, context.host.clock.wall());
  auto meant = bindings_meant(context.host.files, *surveyed, typed);
  if (!meant) return pass(meant);
  RestoreResult result;
  auto chosen = choose(context, meant->front()->binding, thumbprint, result);
  if (!chosen) return pass(chosen);
  if (!*chosen) return result;
  const KeptPair& pair = **chosen;
  const SurveyedBinding& first = *meant->front();
  if (Done may = may_be_put_back(context, *meant, pair); !may) return pass(may);
  // A trial run, to find every objection before the first server is touched.
  if (auto files = files_of(context, *surveyed, *meant, pair); !files) return pass(files);
  std::vector<Bindings> by_service;
  for (const auto& service : surveyed->services.found) {
    Bindings of_service;
    std::ranges::copy_if(*meant, std::back_inserter(of_service),
                         [&](auto* bound) { return bound->service == service.get(); });
    if (!of_service.empty()) by_service.push_back(std::move(of_service));
  }
  PairOnDisk before(first);
  Restore restore(context, *surveyed, pair, is_whole(before, context.host.clock.wall()));
  for (const Bindings& bindings : by_service)
    if (!restore.of(*bindings.front()->service, bindings, &bindings == &by_service.back()))
      return RestoreResult{.accounts = std::move(restore).accounts()};
  result.accounts = std::move(restore).accounts();
  keep(context, first.binding, pair, result.accounts);
  return result;
}

}  // namespace certrebind
