#include "service/described/key_list.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "x509/bundle.h"
#include "x509/pem.h"
#include "x509/public_half.h"

namespace certrebind::described {

KeyList::KeyList(const std::vector<NamedPath>& files, std::vector<NamedPath> keys, bool anywhere,
                 Root& root)
    : files_(files), keys_(std::move(keys)), anywhere_(anywhere) {
  if (files.size() < 2 || !keys_.empty()) return;
  for (const NamedPath& file : files) {
    auto text = root.files().read(root.on_host(file.path), kPemLimit);
    texts_.push_back(text ? std::move(*text) : "");
    has_key_.push_back(!private_key_blocks(texts_.back()).empty());
  }
  for (size_t i = 0; i < texts_.size(); ++i) {
    const auto block = first_certificate_block(texts_[i]);
    if (has_key_[i] && !block) keys_alone_.push_back(i);
    if (!anywhere || has_key_[i] || !block) continue;
    const auto der = pem_decode(*block);
    auto first = Certificate::parse(der ? *der : "");
    if (first && first->is_ca) issuers_.emplace(i, std::move(*first));
  }
}

bool KeyList::is_key(size_t i) const {
  return std::ranges::binary_search(keys_alone_, i);
}

std::optional<NamedPath> KeyList::of(size_t i) const {
  if (i < keys_.size() && !keys_[i].path.empty()) return keys_[i];
  if (i >= texts_.size() || has_key_[i]) return std::nullopt;
  if (!anywhere_) return i > 0 && is_key(i - 1) ? std::optional(files_[i - 1]) : std::nullopt;
  if (auto fits = key_that_fits(i)) return files_[*fits];
  // Its renewer may be between two writes: a neighbour that is the key of no other.
  for (size_t neighbour : {i - 1, i + 1})
    if (is_key(neighbour) && fits_none(neighbour)) return files_[neighbour];
  return std::nullopt;
}

// Of several, for a renewer may keep copies, that beside the certificate.
std::optional<size_t> KeyList::key_that_fits(size_t certificate) const {
  std::optional<size_t> found;
  for (size_t key : keys_alone_) {
    const bool is_beside = is_in_same_directory(certificate, key);
    if ((found && !is_beside) || !fits_together(certificate, key)) continue;
    found = key;
    if (is_beside) break;
  }
  return found;
}

std::optional<NamedPath> KeyList::chain_of(size_t i) const {
  if (!anywhere_ || i >= texts_.size()) return std::nullopt;
  const auto bundle = Bundle::parse(texts_[i]);
  if (!bundle || !bundle->chain.empty()) return std::nullopt;
  for (const auto& [other, issuer] : issuers_)
    if (is_in_same_directory(i, other) && bundle->leaf.is_signed_by(issuer)) return files_[other];
  return std::nullopt;
}

bool KeyList::fits_none(size_t key) const {
  for (size_t i = 0; i < texts_.size(); ++i)
    if (fits_together(i, key)) return false;
  return true;
}

bool KeyList::is_in_same_directory(size_t one, size_t other) const {
  return parent_directory(files_[one].path) == parent_directory(files_[other].path);
}

bool KeyList::fits_together(size_t certificate, size_t key) const {
  const auto block = first_certificate_block(texts_[certificate]);
  const auto der = block ? pem_decode(*block) : Result<std::string>();
  return der && std::ranges::any_of(pem_blocks(texts_[key]), [&](const PemBlock& each) {
           return each.is_private_key() && carries_public_key_of(each, *der);
         });
}

}  // namespace certrebind::described
