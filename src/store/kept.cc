#include "store/kept.h"

#include <fmt/format.h>

#include <charconv>
#include <ranges>

#include "base/text.h"
#include "x509/key.h"

namespace certrebind {

namespace {

constexpr size_t kGenerations = 2;
constexpr const char* kUnfinished = "new";

Done ensure_directory(Files& files, const std::string& path) {
  Done made = files.make_directory(path, 0700);
  return made || made.error().code == Code::exists ? Done() : made;
}

// The numbers in a directory, which are the names of pairs, lowest first. Nothing where there is no
// directory yet.
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

Result<KeptPair> read_pair(const Files& files, const std::string& directory) {
  auto certificate = files.read(directory + "/certificate", kPemLimit);
  if (!certificate) return pass(certificate);
  auto bundle = Bundle::parse(*certificate);
  if (!bundle) return pass(bundle);
  auto key = files.read(directory + "/key", kPemLimit);
  if (!key && key.error().code != Code::not_found) return pass(key);
  return KeptPair{std::move(*bundle), std::move(*certificate), key ? std::move(*key) : ""};
}

Done remove_pair(Files& files, const std::string& directory) {
  for (const char* name : {"/certificate", "/key"}) {
    Done removed = files.remove(directory + name);
    if (!removed && removed.error().code != Code::not_found) return removed;
  }
  return files.remove(directory);
}

// Whole or not at all: a crash leaves a directory that counts for nothing and is removed next time.
Done write_pair(Files& files, const std::string& place, const std::string& name,
                const KeptPair& pair) {
  std::string unfinished = place + "/" + kUnfinished;
  if (files.lstat(unfinished))
    if (Done removed = remove_pair(files, unfinished); !removed) return removed;
  if (Done made = files.make_directory(unfinished, 0700); !made) return made;
  std::vector<std::string> written = {unfinished + "/certificate"};
  if (Done made = files.create(written[0], pair.certificate, {}); !made) return made;
  if (!pair.key.empty()) {
    written.push_back(unfinished + "/key");
    if (Done made = files.create(written[1], pair.key, {}); !made) return made;
  }
  written.push_back(unfinished);
  if (Done synced = files.sync(written); !synced) return synced;
  if (Done renamed = files.rename(unfinished, place + "/" + name); !renamed) return renamed;
  return files.sync({place, parent_directory(place)});
}

}  // namespace

Result<std::vector<KeptPair>> kept_pairs(const Files& files, const std::string& state_directory,
                                         const std::string& certificate_path) {
  std::string place = place_of(state_directory, certificate_path);
  auto names = pairs_in(files, place);
  if (!names) return pass(names);
  std::vector<KeptPair> pairs;
  for (const std::string& name : *names | std::views::reverse) {
    auto pair = read_pair(files, place + "/" + name);
    if (!pair) return pass(pair);
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

Done keep_pair(Files& files, const std::string& state_directory,
               const std::string& certificate_path, const std::string& key_path,
               const Thumbprint& proven) {
  auto certificate = files.read(certificate_path, kPemLimit);
  if (!certificate) return pass(certificate);
  bool combined = key_path == certificate_path;
  auto key = combined ? Result<std::string>("") : files.read(key_path, kPemLimit);
  if (!key) return pass(key);
  std::string place = place_of(state_directory, certificate_path);
  auto names = pairs_in(files, place);
  if (!names) return pass(names);
  if (!names->empty()) {
    auto newest = read_pair(files, place + "/" + names->back());
    if (newest && newest->certificate == *certificate && newest->key == *key) return {};
  }
  auto bundle = Bundle::parse(*certificate);
  if (!bundle) return pass(bundle);
  // It may have been overwritten since it was proven.
  if (bundle->leaf.outline.thumbprint != proven ||
      key_state(combined ? *certificate : *key, bundle->leaf) != KeyState::matches)
    return {};
  if (Done made = ensure_directory(files, parent_directory(place)); !made) return made;
  if (Done made = ensure_directory(files, place); !made) return made;
  Done written = write_pair(files, place, next_name(*names),
                            {std::move(*bundle), std::move(*certificate), *key});
  if (!written) return written;
  for (size_t i = 0; i + kGenerations <= names->size(); ++i)
    if (Done removed = remove_pair(files, place + "/" + (*names)[i]); !removed) return removed;
  return {};
}

}  // namespace certrebind
