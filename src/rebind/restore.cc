#include "rebind/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "rebind/plan.h"
#include "store/kept.h"
#include "store/successions.h"
#include "sys/replace.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

bool is_meant(const Binding& binding, const std::string& typed) {
  return binding.site == typed || binding.certificate.path == typed ||
         std::ranges::find(binding.names, to_lower(typed)) != binding.names.end();
}

// The bindings of the one path that is meant.
Result<std::vector<const SurveyedBinding*>> bindings_meant(const Survey& survey,
                                                           const std::string& typed) {
  std::set<std::string> paths;
  for (const SurveyedBinding& bound : survey.bindings)
    if (!bound.binding.certificate.path.empty() && is_meant(bound.binding, typed))
      paths.insert(bound.binding.certificate.path);
  if (paths.empty())
    return fail(Code::not_found, "restore", typed, "no site and no bound certificate is called so",
                "certrebind scan lists them");
  if (paths.size() > 1)
    return fail(Code::usage, "restore", typed,
                "it binds " + join(std::vector<std::string>(paths.begin(), paths.end()), " and "),
                "say which of these paths");
  std::vector<const SurveyedBinding*> meant;
  for (const SurveyedBinding& bound : survey.bindings)
    if (bound.binding.certificate.path == *paths.begin()) meant.push_back(&bound);
  return meant;
}

bool lies_there(const Files& files, const Binding& binding, const KeptPair& pair) {
  auto certificate = files.read(binding.certificate.path, kPemLimit);
  if (!certificate || *certificate != pair.certificate) return false;
  if (pair.key.empty()) return true;
  auto key = files.read(binding.key.path, kPemLimit);
  return key && *key == pair.key;
}

Result<KeptPair> choose(const Bench& bench, const Binding& binding, const std::string& thumbprint) {
  auto pairs =
      kept_pairs(bench.host.files, bench.settings.state_directory, binding.certificate.path);
  if (!pairs) return pass(pairs);
  std::string wanted = to_lower(thumbprint);
  for (KeptPair& pair : *pairs) {
    const CertificateOutline& leaf = pair.bundle.leaf.outline;
    if (!leaf.thumbprint.hex().starts_with(wanted)) continue;
    if (wanted.empty() && lies_there(bench.host.files, binding, pair)) continue;
    if (leaf.not_after < bench.host.clock.wall())
      return fail(Code::usage, "restore", binding.certificate.path,
                  fmt::format("what was kept, {}, expired on {} UTC", leaf.thumbprint.brief(),
                              to_text(leaf.not_after)));
    return std::move(pair);
  }
  return fail(Code::not_found, "restore", binding.certificate.path,
              pairs->empty()
                  ? "nothing was kept for it yet"
                  : "nothing that was kept differs from what lies there, or is called so",
              pairs->empty() ? "a pair is kept once its binding was proven: by a rebind, or by "
                               "certrebind rebind --pending"
                             : "certrebind restore --list " + binding.certificate.path);
}

// The swap replaces what lies there: where nothing does, an empty file is put first, and goes again
// if nothing comes of it.
class Placeholders {
 public:
  explicit Placeholders(Files& files) : files_(files) {}
  Placeholders(const Placeholders&) = delete;
  Placeholders& operator=(const Placeholders&) = delete;
  ~Placeholders() {
    for (const std::string& path : put_)
      if (auto now = files_.stat(path); now && now->size == 0) (void)files_.remove(path);
  }
  Done ensure(const std::string& path, const std::string& content);

 private:
  Files& files_;
  std::vector<std::string> put_;
};

// A certificate alone is no secret.
Done Placeholders::ensure(const std::string& path, const std::string& content) {
  if (files_.stat(path)) return {};
  const mode_t mode = content.find("PRIVATE KEY-----") == std::string::npos ? 0644 : 0600;
  if (Done made = files_.create(path, "", {.mode = mode, .owner = {}, .group = {}, .extended = {}});
      !made)
    return made;
  put_.push_back(path);
  return files_.sync({path, parent_directory(path)});
}

Result<PlannedFile> planned(Files& files, Placeholders& placeholders,
                            const std::vector<std::string>& read_whole, const std::string& path,
                            const std::string& content, const char* what) {
  if (Done safe = SafeWay(files).to(path); !safe) return pass(safe);
  if (Done there = placeholders.ensure(path, content); !there) return pass(there);
  auto real = files.real_path(path);
  if (!real) return pass(real);
  auto before = files.read(*real, kPemLimit);
  if (!before) return pass(before);
  auto staging = staging_directory(files, *real, read_whole);
  if (!staging) return pass(staging);
  return PlannedFile{.path = std::move(*real),
                     .staging = std::move(*staging),
                     .before = std::move(*before),
                     .after = content,
                     .secret = true,
                     .what = what};
}

Result<std::vector<PlannedFile>> files_of(Files& files, Placeholders& placeholders,
                                          const std::vector<std::string>& read_whole,
                                          const Binding& binding, const KeptPair& pair) {
  std::vector<PlannedFile> all;
  auto certificate = planned(files, placeholders, read_whole, binding.certificate.path,
                             pair.certificate, "kept certificate");
  if (!certificate) return pass(certificate);
  all.push_back(std::move(*certificate));
  if (!pair.key.empty()) {
    auto key =
        planned(files, placeholders, read_whole, binding.key.path, pair.key, "kept private key");
    if (!key) return pass(key);
    all.push_back(std::move(*key));
  }
  std::erase_if(all, [](const PlannedFile& file) { return file.before == file.after; });
  std::ranges::sort(all, {}, &PlannedFile::path);
  return all;
}

// With the kept one's kind of key, or else whatever is shown.
std::optional<Served> ask(const Prober& prober, Target target) {
  std::vector<Target> targets = {target, target};
  targets.back().key_type = KeyType::other;
  for (Result<Served>& served : prober.handshake_all(targets))
    if (served) return std::move(*served);
  return std::nullopt;
}

// What is served now is what a failure has to come back to; what serves nothing, and has to, is
// taken to have served what was kept.
std::vector<Expectation> expectations_for(const Prober& prober, const Binding& binding,
                                          const KeptPair& pair) {
  const Certificate& leaf = pair.bundle.leaf;
  const Thumbprint& kept = leaf.outline.thumbprint;
  std::vector<Expectation> all = expectations_of(binding, kept, leaf.key_type, kept, leaf.key_type);
  for (Expectation& expected : all) {
    auto served = ask(prober, expected.old_target());
    if (!served) continue;
    auto now = Certificate::parse(served->leaf_der);
    if (!now) continue;
    expected.old_thumbprint = served->thumbprint;
    expected.old_type = now->key_type;
  }
  return all;
}

Work work_for(const Bench& bench, const Service& service,
              const std::vector<const SurveyedBinding*>& bindings, const KeptPair& pair) {
  Work work;
  work.act = "restore";
  work.service = &service;
  work.mends = true;
  std::set<std::string> loads;
  JournalSuccession succession;
  succession.new_thumbprint = pair.bundle.leaf.outline.thumbprint.hex();
  for (const SurveyedBinding* bound : bindings) {
    if (bound->service != &service) continue;
    if (bound->disk && bound->disk->certificate)
      succession.old_thumbprint = bound->disk->certificate->thumbprint.hex();
    succession.sites.push_back(bound->binding.site);
    for (std::string& path : bound_files(bench.host.files, bound->binding))
      loads.insert(std::move(path));
    if (bound->binding.role == Role::client) continue;
    std::vector<Expectation> more = expectations_for(bench.prober, bound->binding, pair);
    work.expectations.insert(work.expectations.end(), more.begin(), more.end());
  }
  work.loads.assign(loads.begin(), loads.end());
  work.successions.push_back(std::move(succession));
  return work;
}

std::string story_of(const SurveyedBinding& bound, const KeptPair& pair) {
  const CertificateOutline& leaf = pair.bundle.leaf.outline;
  std::string story = fmt::format("restore of {}: {}, which expires on {} UTC",
                                  printable(bound.binding.certificate.path),
                                  leaf.thumbprint.brief(), to_text(leaf.not_after));
  if (bound.disk && bound.disk->certificate)
    story += ", instead of " + bound.disk->certificate->thumbprint.brief();
  return story;
}

// What a person took away is not brought again by itself.
Done note_unwanted(const Bench& bench, const KeptPair& pair, const SurveyedBinding& bound) {
  if (!bound.disk || !bound.disk->certificate) return {};
  const Thumbprint& kept = pair.bundle.leaf.outline.thumbprint;
  const Thumbprint& unwanted = bound.disk->certificate->thumbprint;
  if (kept == unwanted) return {};
  Database& database = bench.state.database();
  return database.atomically("note what was taken away", [&] {
    declare_succession(database,
                       {.old_thumbprint = kept.hex(),
                        .new_thumbprint = unwanted.hex(),
                        .how = "undone",
                        .renewer = "",
                        .path = ""},
                       bench.host.clock.wall());
  });
}

}  // namespace

Result<KeptFor> kept_for(const Host& host, const Settings& settings,
                         const std::vector<ServiceId>& only, const std::string& typed) {
  auto surveyed = survey(host, only);
  if (!surveyed) return pass(surveyed);
  auto meant = bindings_meant(*surveyed, typed);
  if (!meant) return pass(meant);
  const std::string& path = meant->front()->binding.certificate.path;
  auto pairs = kept_pairs(host.files, settings.state_directory, path);
  if (!pairs) return pass(pairs);
  return KeptFor{path, std::move(*pairs)};
}

Result<std::vector<Account>> restore_kept(const Bench& bench, const std::vector<ServiceId>& only,
                                          const std::string& typed, const std::string& thumbprint) {
  auto surveyed = survey(bench.host, only);
  if (!surveyed) return pass(surveyed);
  auto meant = bindings_meant(*surveyed, typed);
  if (!meant) return pass(meant);
  const SurveyedBinding& first = *meant->front();
  auto pair = choose(bench, first.binding, thumbprint);
  if (!pair) return pass(pair);
  std::vector<Account> accounts;
  Placeholders placeholders(bench.host.files);
  for (const auto& service : surveyed->services.found) {
    if (std::ranges::none_of(*meant, [&](auto* bound) { return bound->service == service.get(); }))
      continue;
    // Nothing to replace for the second server that binds the same path: it only reloads.
    auto files =
        files_of(bench.host.files, placeholders, surveyed->read_whole, first.binding, *pair);
    if (!files) return pass(files);
    Work work = work_for(bench, *service, *meant, *pair);
    work.files = std::move(*files);
    auto account = carry_out(bench, std::move(work));
    if (!account) return pass(account);
    account->text = story_of(first, *pair) + "\n" + account->text;
    accounts.push_back(std::move(*account));
    if (accounts.back().outcome != Outcome::committed) return accounts;
  }
  Done kept =
      keep_pair(bench.host.files, bench.settings.state_directory, first.binding.certificate.path,
                first.binding.key.path, pair->bundle.leaf.outline.thumbprint);
  if (!kept) return pass(kept);
  if (Done noted = note_unwanted(bench, *pair, first); !noted) return pass(noted);
  return accounts;
}

}  // namespace certrebind
