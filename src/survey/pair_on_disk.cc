#include "survey/pair_on_disk.h"

#include "store/read_pem.h"
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

Result<KeyState> PairOnDisk::key() const {
  auto pem = read_pem(bound_.service->files(), bound_.binding.key.path);
  if (!pem) return pass(pem);
  return key_state(*pem, std::string_view(bound_.disk ? bound_.disk->der : ""));
}

const Result<KeyState>& PairOnDisk::tried_key() {
  if (tried_key_) return *tried_key_;
  auto pem = read_pem(bound_.service->files(), bound_.binding.key.path);
  tried_key_ = pem && leaf() != nullptr ? tried_key_state(*pem, *leaf()) : key();
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
