#include "store/renewers.h"

#include <algorithm>

#include "base/text.h"
#include "store/renewer_kinds.h"
#include "store/renewer_text.h"
#include "sys/processes.h"

namespace certrebind {

namespace {

constexpr const char* kPlaceholder = "{name}";

// `path` relative to `directory`, as given or with the links of both resolved.
std::optional<std::string> within(const Files& files, const std::string& directory,
                                  const std::string& path) {
  auto relative = [](const std::string& inner,
                     const std::string& outer) -> std::optional<std::string> {
    if (inner == outer || !is_within(inner, outer)) return std::nullopt;
    return inner.substr(outer == "/" ? 1 : outer.size() + 1);
  };
  if (auto found = relative(normalized(path), normalized(directory))) return found;
  auto real = files.real_path(path);
  auto real_directory = files.real_path(directory);
  if (!real || !real_directory) return std::nullopt;
  return relative(*real, *real_directory);
}

// True if only a shell can evaluate the word, so that it may stand for anything.
bool is_open(const std::string& word) {
  return word.find('$') != std::string::npos || word.find('`') != std::string::npos;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// False if the command line names another certificate or another directory.
bool may_concern(const RenewerKind& kind, const StoreSetting& store, const Lineage& lineage,
                 const JobWords& words) {
  auto place = option_of(words, kind.place_options);
  if (place && !is_open(*place)) {
    bool here = normalized(without_slash(*place)) == normalized(store.path) ||
                std::ranges::find(lineage.obeys, *place) != lineage.obeys.end();
    if (place->starts_with('/') && !here) return false;
  }
  auto name = option_of(words, kind.name_options);
  if (!name || is_open(*name)) return true;
  std::vector<std::string> listed = split(*name, ',');
  return std::ranges::find(listed, lineage.name) != listed.end() ||
         std::ranges::find(words, lineage.name) != words.end();
}

// The lineage of a directory for which the configuration has a renewal command.
Lineage configured_lineage(const StoreSetting& store, const std::string& path) {
  Lineage lineage;
  lineage.renewer = file_name(store.renew.front());
  std::string file = file_name(path);
  lineage.name = file.substr(0, file.rfind('.'));
  lineage.directory = parent_directory(path);
  lineage.certificate_path = path;
  return lineage;
}

// The administrator's command is used unchanged, and overrides the renewer's files.
void use_configured(const StoreSetting& store, Lineage& lineage) {
  lineage.renew.clear();
  for (std::string word : store.renew) {
    if (size_t at = word.find(kPlaceholder); at != std::string::npos)
      word.replace(at, std::string_view(kPlaceholder).size(), lineage.name);
    lineage.renew.push_back(std::move(word));
  }
  lineage.renew_now.clear();
  lineage.obeys.clear();
  lineage.no_command.clear();
  lineage.command_text = Command{.arguments = lineage.renew, .root = {}}.text();
}

// A renewer's directory takes precedence over a plain one, then the innermost one.
std::pair<bool, size_t> rank(const StoreSetting& store) {
  return {renewer_kind(store.kind) != nullptr, store.path.size()};
}

bool others_may_write(const Files& files, const std::string& path, uint32_t user) {
  auto info = files.stat(path);
  if (!info) return true;
  bool by_group = (info->mode & 0020) != 0 && info->group != 0;
  return (info->owner != 0 && info->owner != user) || by_group || (info->mode & 0002) != 0;
}

}  // namespace

Renewers::Renewers(const Files& files, const std::vector<StoreSetting>& stores, uint32_t user)
    : files_(files), stores_(stores), user_(user), jobs_(regular_jobs(files)) {
  for (const StoreSetting& store : stores_) {
    const RenewerKind* kind = renewer_kind(store.kind);
    if (kind == nullptr) continue;
    note_copies(store);
    if (uses_.contains(store.kind)) continue;
    std::vector<Use>& uses = uses_[store.kind];
    for (const Job& job : jobs_)
      for (auto& words : lines_that_run(files_, job, kind->programs))
        uses.push_back({&job, std::move(words)});
  }
}

void Renewers::note_copies(const StoreSetting& store) {
  const RenewerKind* kind = renewer_kind(store.kind);
  if (kind->copies == nullptr) return;
  for (auto& [path, inside] : kind->copies(files_, store)) {
    copies_.try_emplace(normalized(path), Copy{&store, inside});
    if (auto real = files_.real_path(path)) copies_.try_emplace(*real, Copy{&store, inside});
  }
}

std::optional<Lineage> Renewers::owner_of(const std::string& path) const {
  auto real = files_.real_path(path);
  for (const std::string& at : {normalized(path), real ? *real : path})
    if (auto copy = copies_.find(at); copy != copies_.end())
      return read(*copy->second.store, copy->second.within);
  const StoreSetting* innermost = nullptr;
  std::string inside;
  for (const StoreSetting& store : stores_) {
    if (innermost != nullptr && rank(store) <= rank(*innermost)) continue;
    auto found = within(files_, store.path, path);
    if (!found) continue;
    innermost = &store;
    inside = std::move(*found);
  }
  return innermost != nullptr ? read(*innermost, inside) : std::nullopt;
}

std::optional<Lineage> Renewers::read(const StoreSetting& store, const std::string& inside) const {
  const RenewerKind* kind = renewer_kind(store.kind);
  std::optional<Lineage> lineage;
  if (kind != nullptr) {
    lineage = kind->read(files_, store, inside);
  } else if (!store.renew.empty()) {
    lineage = configured_lineage(store, store.path + "/" + inside);
  }
  if (!lineage) return lineage;
  if (kind != nullptr) find_schedule(store, *lineage);
  if (!store.renew.empty()) use_configured(store, *lineage);
  refuse_what_others_write(*lineage);
  return lineage;
}

void Renewers::find_schedule(const StoreSetting& store, Lineage& lineage) const {
  const RenewerKind* kind = renewer_kind(store.kind);
  const Use* use = nullptr;
  for (const Use& candidate : uses_.at(store.kind)) {
    if (!may_concern(*kind, store, lineage, candidate.words)) continue;
    if (use == nullptr || (!use->job->asleep.empty() && candidate.job->asleep.empty()))
      use = &candidate;
  }
  if (use != nullptr && use->job->asleep.empty()) {
    lineage.scheduled_by = use->job->by;
  } else if (use != nullptr) {
    lineage.schedule_note = use->job->by + ": " + use->job->asleep;
  }
  if (kind->apply == nullptr) return;
  kind->apply(files_, use != nullptr ? use->words : JobWords(), lineage);
  bool can_take = kind->takes_command_of_job && use != nullptr && !use->job->command.empty();
  if (!can_take) return;
  lineage.renew = use->job->command;
  lineage.command_text = "what " + use->job->by + " runs";
  lineage.no_command.clear();
}

void Renewers::refuse_what_others_write(Lineage& lineage) const {
  if (lineage.renew.empty()) return;
  for (const std::string& path : lineage.obeys)
    for (const std::string& checked : {path, parent_directory(path)})
      if (others_may_write(files_, checked, user_)) {
        lineage.renew.clear();
        lineage.renew_now.clear();
        lineage.no_command = checked +
                             " may be written by another user, who would then decide what "
                             "is run with our rights";
        return;
      }
}

}  // namespace certrebind
