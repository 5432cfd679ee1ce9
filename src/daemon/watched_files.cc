#include "daemon/watched_files.h"

#include <map>

#include "base/text.h"
#include "state/wake.h"
#include "store/bound.h"
#include "store/stores.h"

namespace certrebind {

namespace {

constexpr int kMostLinks = 40;  // as in path_resolution(7)
constexpr int kStoreDepth = 3;  // certbot: live/NAME/; acme.sh: NAME/; /etc/pki: tls/certs/

void collect_entries(const Files& files, const std::string& path, int links,
                     std::vector<std::pair<std::string, std::string>>& entries) {
  if (path.empty()) return;  // a certificate without a key
  std::vector<std::string> parts = split(normalized(path).substr(1), '/');
  std::string directory = "/";
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string here = absolute_in(directory, parts[i]);
    auto info = files.lstat(here);
    if (!info) {
      entries.emplace_back(directory, parts[i]);
      return;
    }
    if (info->kind == FileKind::symlink) {
      entries.emplace_back(directory, parts[i]);
      auto target = files.read_link(here);
      if (!target || links >= kMostLinks) return;
      std::string rest = absolute_in(directory, *target);
      for (size_t after = i + 1; after < parts.size(); ++after) rest += "/" + parts[after];
      return collect_entries(files, rest, links + 1, entries);
    }
    bool is_end = i + 1 == parts.size() || info->kind != FileKind::directory;
    if (is_end) {
      entries.emplace_back(directory, parts[i]);
      return;
    }
    directory = here;
  }
}

class Builder {
 public:
  explicit Builder(const Files& files) : files_(files) {}

  void certificate(const std::string& path, const std::string& key) {
    list_.certificates.insert({path, key});
    add(path, HopKind::certificate, path);
    if (key != path) add(key, HopKind::certificate, path);
  }

  void configuration(const std::string& path) {
    add(path, HopKind::configuration, "");
    inside(path, "", HopKind::configuration);
  }

  void settings(const std::string& path) { add(path, HopKind::settings, ""); }
  void wake(const std::string& path, const std::string& name) {
    add(path, HopKind::wake, "");
    inside(path, name, HopKind::wake);
  }

  // Any new file in a store may be a certificate.
  void store(const std::string& path) {
    add(path, HopKind::store, path);
    directory(path, path, kStoreDepth);
  }

  WatchedFiles take() { return std::move(list_); }

 private:
  void add(const std::string& path, HopKind kind, const std::string& about) {
    for (auto& [directory, name] : entries_of(files_, path))
      list_.hops.insert({directory, name, kind, about});
  }

  void inside(const std::string& path, const std::string& name, HopKind kind) {
    auto info = files_.stat(path);
    if (info && info->kind == FileKind::directory) list_.hops.insert({path, name, kind, ""});
  }

  void directory(const std::string& path, const std::string& store, int depth) {
    auto names = files_.list(path);
    if (!names) return;
    list_.hops.insert({path, "", HopKind::store, store});
    if (depth == 0) return;
    for (const std::string& name : *names) {
      std::string inner = absolute_in(path, name);
      auto info = files_.lstat(inner);
      if (info && info->kind == FileKind::directory) directory(inner, store, depth - 1);
    }
  }

  const Files& files_;
  WatchedFiles list_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> entries_of(const Files& files,
                                                            const std::string& path) {
  std::vector<std::pair<std::string, std::string>> entries;
  collect_entries(files, path, 0, entries);
  return entries;
}

Result<WatchedFiles> find_watched_files(const Files& files, const Settings& settings,
                                        Database& database) {
  auto bound = bound_rows(database);
  if (!bound) return pass(bound);
  auto configured_by = configuration_paths(database);
  if (!configured_by) return pass(configured_by);
  // A path may be both bound and stored. The key that the service names takes precedence.
  std::map<std::string, std::string> keys;
  for (const BoundRow& row : *bound) keys.emplace(row.certificate, row.key);
  for (const StoredCertificate& stored : stored_certificates(files, settings.stores))
    keys.emplace(stored.certificate_path, stored.key_path);
  Builder builder(files);
  for (const auto& [certificate, key] : keys) builder.certificate(certificate, key);
  for (const StoreSetting& store : settings.stores) builder.store(store.path);
  for (const std::string& path : *configured_by) builder.configuration(path);
  builder.settings(settings.config_file);
  builder.wake(settings.run_directory, kWakeFile);
  builder.wake(settings.tasks_directory(), "");
  return builder.take();
}

}  // namespace certrebind
