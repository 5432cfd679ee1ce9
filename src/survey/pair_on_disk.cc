#include "survey/pair_on_disk.h"

#include "survey/survey.h"

namespace certrebind {

const Certificate* PairOnDisk::leaf() {
  if (!leaf_) leaf_ = Certificate::parse(bound_.disk ? bound_.disk->der : "");
  return *leaf_ ? &**leaf_ : nullptr;
}

const Result<Bundle>& PairOnDisk::bundle() {
  if (!bundle_) bundle_ = read_bundle(bound_.service->files(), bound_.binding.certificate.path);
  return *bundle_;
}

const std::vector<Certificate>& PairOnDisk::chain() {
  if (chain_) return *chain_;
  const std::string& separate = bound_.binding.chain.path;
  if (separate.empty()) {
    chain_ = bundle() ? bundle()->chain : std::vector<Certificate>();
  } else {
    auto above = read_bundle(bound_.service->files(), separate);
    chain_ = above ? std::move(*above).certificates() : std::vector<Certificate>();
  }
  return *chain_;
}

Result<KeyState> PairOnDisk::checked_key(KeyState (*check)(std::string_view, const Certificate&)) {
  auto bytes = bound_.service->files().read(bound_.binding.key.path, kPemLimit);
  if (!bytes) return pass(bytes);
  const Certificate* of = leaf();
  return of != nullptr ? check(*bytes, *of) : KeyState::of_another;
}

Result<KeyState> PairOnDisk::key() {
  return checked_key(key_state);
}

const Result<KeyState>& PairOnDisk::tried_key() {
  if (!tried_key_) tried_key_ = checked_key(tried_key_state);
  return *tried_key_;
}

bool is_usable(KeyState key, const Binding& binding) {
  return key == KeyState::matches || (key == KeyState::encrypted && binding.has_passphrase);
}

PairOnDisk& PairsOnDisk::of(const SurveyedBinding& bound) {
  const Binding& binding = bound.binding;
  return known_
      .try_emplace(
          {&bound.service->files(), binding.certificate.path, binding.key.path, binding.chain.path},
          bound)
      .first->second;
}

}  // namespace certrebind
