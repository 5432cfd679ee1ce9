#include "store/kept.h"

#include <fmt/format.h>

#include <charconv>
#include <ranges>

#include "base/text.h"
#include "store/read_pem.h"
#include "x509/key.h"

namespace certrebind {

namespace {

constexpr size_t kGenerations = 2;
constexpr const char* kUnfinished = "new";

Done ensure_directory(Files& files, const std::string& path) {
  Done made = files.make_directory(path, 0700);
  return made || made.error().code == Code::exists ? Done() : made;
}

// The numbers in a directory, which name the pairs, lowest first. Empty if there is no directory
// yet.
Result<std::vector<std::string>> pairs_in(const Files& files, const std::string& place) {
  auto names = files.list(place);
  if (!names && names.error().code == Code::not_found) return std::vector<std::string>();
  if (names) std::erase(*names, kUnfinished);
  return names;
}

std::string next_name(const std::vector<std::string>& names) {
  int last = 0;
  if (!names.empty())
    std::from_chars(names.back().data(), names.back().data() + names.back().size(), last);
  return fmt::format("{:06}", last + 1);
}

std::string place_of(const std::string& state_directory, const std::string& certificate_path) {
  return state_directory + "/kept/" + Thumbprint::of_der(certificate_path).hex().substr(0, 32);
}

Result<std::string> read_if_there(const Files& files, const std::string& path) {
  auto bytes = files.read(path, kPemLimit);
  return bytes || bytes.error().code != Code::not_found ? std::move(bytes) : std::string();
}

Result<KeptPair> pair_of(Result<std::string> certificate, Result<std::string> key,
                         Result<std::string> chain) {
  auto bundle = certificate ? Bundle::parse(*certificate) : Result<Bundle>(pass(certificate));
  if (!bundle) return pass(bundle);
  if (!key) return pass(key);
  if (!chain) return pass(chain);
  return KeptPair{std::move(*bundle), std::move(*certificate), std::move(*key), std::move(*chain)};
}

Result<KeptPair> read_pair(const Files& files, const std::string& directory) {
  return pair_of(files.read(directory + "/certificate", kPemLimit),
                 read_if_there(files, directory + "/key"),
                 read_if_there(files, directory + "/chain"));
}

bool is_one_file(const Files& files, const KeptPaths& paths) {
  if (paths.key == paths.certificate) return true;
  auto certificate = files.real_path(paths.certificate), key = files.real_path(paths.key);
  return certificate && key && *certificate == *key;
}

Result<KeptPair> lying_at(const Files& files, const KeptPaths& paths) {
  return pair_of(
      read_pem(files, paths.certificate),
      is_one_file(files, paths) ? Result<std::string>("") : read_pem(files, paths.key),
      paths.chain.empty() ? Result<std::string>("") : files.read(paths.chain, kPemLimit));
}

bool is_pair_of(const KeptPair& pair, const Thumbprint& proven) {
  return pair.bundle.leaf.outline.thumbprint == proven &&
         key_state(pair.key.empty() ? pair.certificate : pair.key, pair.bundle.leaf) ==
             KeyState::matches;
}

size_t sent_with(const KeptPair& pair) {
  auto chain = Bundle::parse(pair.chain);
  const bool fits = chain && chain->leaf.subject_line == pair.bundle.leaf.issuer_line;
  return pair.bundle.connected() + (fits ? chain->connected() + 1 : 0);
}

// True if the new pair is identical, or sends less of the same certificate's chain. Such a pair
// must not replace proven content, because no handshake verifies a file that was changed after it
// was loaded.
bool says_no_more(const KeptPair& now, const KeptPair& kept) {
  const bool same =
      now.certificate == kept.certificate && now.key == kept.key && now.chain == kept.chain;
  return same || sent_with(now) < sent_with(kept);
}

Done remove_pair(Files& files, const std::string& directory) {
  for (const char* name : {"/certificate", "/key", "/chain"}) {
    Done removed = files.remove(directory + name);
    if (!removed && removed.error().code != Code::not_found) return removed;
  }
  return files.remove(directory);
}

// All or nothing: after a crash the incomplete directory is ignored, and removed next time.
Done write_pair(Files& files, const std::string& place, const std::string& name,
                const KeptPair& pair) {
  std::string unfinished = place + "/" + kUnfinished;
  if (files.lstat(unfinished))
    if (Done removed = remove_pair(files, unfinished); !removed) return removed;
  if (Done made = files.make_directory(unfinished, 0700); !made) return made;
  const std::pair<const char*, const std::string&> contents[] = {
      {"/certificate", pair.certificate}, {"/key", pair.key}, {"/chain", pair.chain}};
  std::vector<std::string> written;
  for (const auto& [file, content] : contents) {
    if (content.empty()) continue;
    written.push_back(unfinished + file);
    if (Done made = files.create(written.back(), content, {}); !made) return made;
  }
  written.push_back(unfinished);
  if (Done synced = files.sync(written); !synced) return synced;
  if (Done renamed = files.rename(unfinished, place + "/" + name); !renamed) return renamed;
  return files.sync({place, parent_directory(place)});
}

}  // namespace

Result<Kept> kept_pairs(const Files& files, const std::string& state_directory,
                        const std::string& certificate_path) {
  std::string place = place_of(state_directory, certificate_path);
  auto names = pairs_in(files, place);
  if (!names) return pass(names);
  Kept kept;
  for (const std::string& name : *names | std::views::reverse) {
    auto pair = read_pair(files, place + "/" + name);
    if (!pair && pair.error().code == Code::denied) return pass(pair);
    if (pair)
      kept.pairs.push_back(std::move(*pair));
    else
      kept.damaged.push_back(place + "/" + name);
  }
  return kept;
}

Done keep_pair(Files& files, const std::string& state_directory, const KeptPaths& paths,
               const Thumbprint& proven) {
  // The files may have been overwritten or removed since the proof.
  auto now = lying_at(files, paths);
  if (!now || !is_pair_of(*now, proven)) return {};
  std::string place = place_of(state_directory, paths.certificate);
  auto names = pairs_in(files, place);
  if (!names) return pass(names);
  std::optional<KeptPair> newest;
  if (!names->empty())
    if (auto pair = read_pair(files, place + "/" + names->back())) newest = std::move(*pair);
  const bool known = newest && newest->bundle.leaf.outline.thumbprint == proven;
  if (known && says_no_more(*now, *newest)) return {};
  if (Done made = ensure_directory(files, parent_directory(place)); !made) return made;
  if (Done made = ensure_directory(files, place); !made) return made;
  if (Done written = write_pair(files, place, next_name(*names), *now); !written) return written;
  // The same certificate in another form replaces the newest pair, not the one before.
  if (known) return remove_pair(files, place + "/" + names->back());
  for (size_t i = 0; i + kGenerations <= names->size(); ++i)
    if (Done removed = remove_pair(files, place + "/" + (*names)[i]); !removed) return removed;
  return {};
}

Done forget_pairs(Files& files, const std::string& state_directory, const Thumbprint& thumbprint) {
  const std::string all = state_directory + "/kept";
  auto places = files.list(all);
  if (!places) return places.error().code == Code::not_found ? Done() : pass(places);
  for (const std::string& place : *places) {
    auto names = files.list(all + "/" + place);
    if (!names) return pass(names);
    for (const std::string& name : *names) {
      const std::string directory = fmt::format("{}/{}/{}", all, place, name);
      auto pair = read_pair(files, directory);
      if (!pair || pair->bundle.leaf.outline.thumbprint != thumbprint) continue;
      if (Done removed = remove_pair(files, directory); !removed) return removed;
    }
    if (Done synced = files.sync({all + "/" + place}); !synced) return synced;
  }
  return {};
}

}  // namespace certrebind
