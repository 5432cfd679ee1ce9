#include "transaction/reload_preview.h"

#include <algorithm>

#include "base/parallel.h"
#include "transaction/key_pairs.h"

namespace certrebind {

namespace {

using Seen = std::vector<std::optional<FileInfo>>;

Seen look_at_all(const Files& files, const std::vector<std::string>& paths) {
  Seen seen(paths.size());
  for_each_index(paths.size(), std::thread::hardware_concurrency(), [&](size_t index) {
    if (auto info = files.stat(paths[index])) seen[index] = *info;
  });
  return seen;
}

bool same(const std::optional<FileInfo>& one, const std::optional<FileInfo>& other) {
  if (!one || !other) return !one && !other;
  return one->same_file(*other) && one->size == other->size &&
         one->modified_ns == other->modified_ns && one->changed_ns == other->changed_ns;
}

std::vector<std::string> paths_of_pairs(const std::vector<Binding>& bindings) {
  std::vector<std::string> paths;
  for (const Binding& binding : bindings)
    for (const std::string& path : {binding.certificate.path, binding.key.path})
      if (!path.empty()) paths.push_back(path);
  std::ranges::sort(paths);
  paths.erase(std::ranges::unique(paths).begin(), paths.end());
  return paths;
}

}  // namespace

Stamps::Stamps(const Files& files, std::vector<std::string> paths)
    : paths_(std::move(paths)), seen_(look_at_all(files, paths_)) {}

bool Stamps::still_hold(const Files& files) const {
  return std::ranges::equal(seen_, look_at_all(files, paths_), same);
}

// A file that is read for the first time may have changed before its stamp was taken. So only the
// next reading can be reused.
void ReloadPreview::look_at_configuration() {
  if (configured_ && configured_->still_hold(files_)) return;
  Stamps before(files_, discovery_ ? discovery_->configured_by : std::vector<std::string>());
  discovery_ = service_->bindings();
  bool covered = discovery_ && discovery_->configured_by == before.paths();
  configured_ = covered ? std::optional(std::move(before)) : std::nullopt;
  // The certificates matter only if one of them could stop the server.
  if (discovery_ && service_->on_bad_certificate() == OnBadCertificate::keeps_old)
    discovery_->bindings = {};
  pairs_.reset();
  knows_rehearsal_ = false;
}

void ReloadPreview::look_at_pairs() {
  if (pairs_ && pairs_->still_hold(files_)) return;
  pairs_ = Stamps(files_, paths_of_pairs(discovery_->bindings));
  why_not_.clear();
  std::vector<const Binding*> bindings;
  for (const Binding& binding : discovery_->bindings) bindings.push_back(&binding);
  for (const BrokenPair& broken : broken_pairs(files_, bindings))
    why_not_ += (why_not_.empty() ? "a reload would stop the server: " : "\n  ") + broken.text();
}

const std::vector<ListenAddress>& ReloadPreview::listens() {
  static const std::vector<ListenAddress> kNowhere;
  if (service_ == nullptr) return kNowhere;
  look_at_configuration();
  return discovery_ ? discovery_->listens : kNowhere;
}

const std::string& ReloadPreview::why_not() {
  if (service_ == nullptr || service_->on_bad_certificate() == OnBadCertificate::keeps_old)
    return why_not_;
  look_at_configuration();
  if (!discovery_) return why_not_ = discovery_.error().message();
  look_at_pairs();
  return why_not_;
}

std::string ReloadPreview::encrypted_key() {
  if (service_ == nullptr || service_->on_bad_certificate() == OnBadCertificate::keeps_old)
    return "";
  look_at_configuration();
  return discovery_ ? encrypted_key_of(files_, discovery_->bindings) : "";
}

const std::optional<Rehearsal>& ReloadPreview::rehearsal() {
  if (service_ == nullptr || service_->on_bad_certificate() == OnBadCertificate::keeps_old)
    return rehearsal_;
  look_at_configuration();
  if (!knows_rehearsal_) rehearsal_ = rehearsal_of(*service_);
  knows_rehearsal_ = true;
  return rehearsal_;
}

}  // namespace certrebind
