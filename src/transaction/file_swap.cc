#include "transaction/file_swap.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sys/rights.h"
#include "x509/bundle.h"

namespace certrebind {

namespace {

std::string image_path(const State& state, const TransactionRow& row, size_t index) {
  return fmt::format("{}/{}", state.before_directory(row.id, row.record.token), index);
}

Done remove_directory(Files& files, const std::string& directory) {
  auto names = files.list(directory);
  if (!names && names.error().code == Code::not_found) return {};
  if (!names) return pass(names);
  for (const std::string& name : *names)
    if (Done removed = files.remove(directory + "/" + name); !removed) return removed;
  return files.remove(directory);
}

}  // namespace

SafeWay FileSwap::safe_way() const {
  return SafeWay(files_, row_.record.files_of == 0 ? own_user() : row_.record.files_of);
}

// A user can give his files no group that he is not in. Then his own group gets the rights of
// everybody else.
Result<Attributes> FileSwap::attributes_of(const std::string& path) const {
  constexpr uint32_t kGroup = 0070, kOthers = 0007;
  auto attributes = files_.attributes(path);
  if (!attributes || row_.record.files_of == 0 || !attributes->group) return attributes;
  const Rights rights = rights_of(row_.record.files_of);
  if (std::ranges::find(rights.groups, *attributes->group) != rights.groups.end())
    return attributes;
  attributes->group = rights.group;
  attributes->mode = (attributes->mode & ~kGroup) | (attributes->mode & kOthers) << 3;
  return attributes;
}

std::string FileSwap::image(size_t index) const {
  return image_path(state_, row_, index);
}

std::string FileSwap::before_images() const {
  return state_.before_directory(row_.id, row_.record.token);
}

std::string FileSwap::set_name(int number) const {
  return fmt::format("{}-{}-{}", row_.id, row_.record.token, number);
}

std::vector<StagedFile> FileSwap::whole() const {
  std::vector<StagedFile> whole;
  for (const JournalFile& file : row_.record.files)
    whole.push_back({.path = file.path, .staging = file.staging});
  return whole;
}

Done FileSwap::keep_before_images(const std::vector<PlannedFile>& planned) {
  std::string directory = before_images();
  if (Done made = ours_.make_directory(directory, 0700); !made) return made;
  std::vector<std::string> written = {directory, parent_directory(directory)};
  for (size_t index = 0; index < planned.size(); ++index) {
    Done kept = ours_.create(image(index), planned[index].before,
                             {.mode = 0600, .owner = {}, .group = {}, .extended = {}});
    if (!kept) return kept;
    written.push_back(image(index));
  }
  return ours_.sync(written);
}

// The swap replaces an existing file. So an absent file is first created empty.
Done FileSwap::stand_in_for_absent(const std::vector<PlannedFile>& planned) {
  std::vector<std::string> made;
  for (const PlannedFile& file : planned) {
    if (!file.is_absent) continue;
    if (Done safe = safe_way().to(file.path); !safe) return safe;
    const uint32_t mode = private_key_blocks(file.after).empty() ? 0644 : 0600;
    Done created =
        files_.create(file.path, "", {.mode = mode, .owner = {}, .group = {}, .extended = {}});
    if (!created) return created;
    made.insert(made.end(), {file.path, parent_directory(file.path)});
  }
  return files_.sync(made);
}

// Removes the stand-ins that are empty again.
Done FileSwap::remove_stand_ins() {
  for (const JournalFile& file : row_.record.files) {
    if (!file.was_absent) continue;
    auto entry = files_.lstat(file.path);
    if (!entry || entry->kind != FileKind::regular || entry->size != 0) continue;
    if (Done removed = files_.remove(file.path); !removed) return removed;
    if (Done synced = files_.sync({parent_directory(file.path)}); !synced) return synced;
  }
  return {};
}

Done FileSwap::stage(const std::vector<PlannedFile>& planned) {
  if (planned.empty()) return {};
  if (Done kept = keep_before_images(planned); !kept) return kept;
  if (Done made = stand_in_for_absent(planned); !made) return made;
  auto number = journal_.next_set(row_);
  if (!number) return pass(number);
  std::vector<Replacement> replacements;
  SafeWay way = safe_way();
  for (const PlannedFile& file : planned) {
    if (Done safe = way.to(file.path); !safe) return safe;
    auto attributes = attributes_of(file.path);
    if (!attributes) return pass(attributes);
    if (file.mode) attributes->mode = file.mode->after;
    replacements.push_back({.number = replacements.size(),
                            .path = file.path,
                            .staging = file.staging,
                            .expected = file.before,
                            .bytes = file.after,
                            .attributes = std::move(*attributes)});
  }
  staged_ = std::make_unique<ReplaceSet>(files_, set_name(*number), planned.front().staging,
                                         std::move(replacements));
  return staged_->stage();
}

Done FileSwap::look_again() const {
  return staged_ ? staged_->look_again() : Done();
}

Done FileSwap::flip() {
  return staged_ ? staged_->flip() : Done();
}

Done FileSwap::settle() {
  Done settled = staged_ ? staged_->settle() : Done();
  staged_.reset();
  return settled;
}

bool FileSwap::is_our_link(const std::string& path) const {
  for (int number = 0; number < row_.sets; ++number)
    if (leads_into(files_, path, set_name(number))) return true;
  return false;
}

bool FileSwap::may_be_put_back_later() const {
  bool good = true;
  for (size_t index = 0; index < row_.record.files.size(); ++index) {
    if (is_our_link(row_.record.files[index].path)) return true;
    good = good && read_before_image(ours_, state_, row_, index).has_value();
  }
  return good;
}

Result<std::vector<Replacement>> FileSwap::replacements_back(PutBack& result) const {
  std::vector<Replacement> replacements;
  for (size_t index = 0; index < row_.record.files.size(); ++index) {
    const JournalFile& file = row_.record.files[index];
    auto entry = files_.lstat(file.path);
    auto now = entry ? files_.read(file.path, kConfigLimit) : Result<std::string>(pass(entry));
    if (!now &&
        now.error().code == Code::not_found) {  // removed by another program; restore the others
      if (!file.was_absent) result.foreign.push_back(file.path);
      continue;
    }
    if (!now) return pass(now);
    std::string digest = content_digest(*now);
    bool is_old = digest == file.before_digest;
    if (is_old && entry->kind == FileKind::regular) continue;
    bool is_foreign = !is_old && digest != file.after_digest;
    if (is_foreign) result.foreign.push_back(file.path);
    if (is_foreign && !is_our_link(file.path)) continue;
    // Content that another program wrote through our link stays, as a plain file.
    auto before = is_foreign ? now : read_before_image(ours_, state_, row_, index);
    if (!before) return pass(before);
    auto attributes = attributes_of(file.path);
    if (!attributes) return pass(attributes);
    if (file.mode && !is_foreign) attributes->mode = file.mode->before;
    replacements.push_back({.number = index,
                            .path = file.path,
                            .staging = file.staging,
                            .expected = std::move(*now),
                            .bytes = std::move(*before),
                            .attributes = std::move(*attributes)});
  }
  return replacements;
}

Result<FileSwap::PutBack> FileSwap::put_back() {
  PutBack result;
  auto replacements = replacements_back(result);
  if (!replacements) return pass(replacements);
  if (!replacements->empty()) {
    auto number = journal_.next_set(row_);
    if (!number) return pass(number);
    ReplaceSet set(files_, set_name(*number), row_.record.files.front().staging,
                   std::move(*replacements));
    if (Done staged = set.stage(); !staged) return pass(staged);
    if (Done swapped = set.swap(); !swapped) return pass(swapped);
  }
  if (Done cleaned = clean_up(); !cleaned) return pass(cleaned);
  if (Done removed = remove_stand_ins(); !removed) return pass(removed);
  return result;
}

Done FileSwap::clean_up() {
  for (int number = 0; number < row_.sets; ++number)
    if (Done removed = remove_leftovers(files_, set_name(number), whole()); !removed)
      return removed;
  return {};
}

Done FileSwap::forget() {
  return remove_directory(ours_, before_images());
}

Result<std::string> read_before_image(const Files& files, const State& state,
                                      const TransactionRow& row, size_t index) {
  std::string path = image_path(state, row, index);
  auto bytes = files.read(path, kConfigLimit);
  if (!bytes) return pass(bytes);
  if (content_digest(*bytes) == row.record.files[index].before_digest) return bytes;
  return fail(Code::failed, "use the before-image", path, "its content does not match the journal");
}

Done prune_before_images(Files& files, State& state, Journal& journal, WallTime now,
                         int keep_days) {
  auto rows = journal.all();
  if (!rows) return pass(rows);
  for (const TransactionRow& row : *rows)
    if (row.ended && now - *row.ended > std::chrono::days(keep_days))
      if (Done removed = remove_directory(files, state.before_directory(row.id, row.record.token));
          !removed)
        return removed;
  return {};
}

}  // namespace certrebind
