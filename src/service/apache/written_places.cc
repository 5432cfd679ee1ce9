#include "service/apache/written_places.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"

namespace certrebind::apache {

namespace {

// Directives that name a file in whose directory httpd may create others. A rehearsal replaces
// PidFile, DefaultRuntimeDir and the main ErrorLog.
constexpr std::array<std::string_view, 6> kStateFiles = {
    "ScoreBoardFile", "ScriptSock", "LockFile", "DavLockDB", "SSLStaplingCache", "SSLSessionCache"};
constexpr std::array<std::string_view, 4> kStateDirectories = {"DefaultStateDir", "MDStoreDir",
                                                               "Mutex", "CacheRoot"};

// The path within "shmcb:/run/x(512000)" or "file:/run/lock".
std::string_view bare_path(std::string_view text) {
  if (size_t colon = text.find(":/"); colon != std::string_view::npos)
    text.remove_prefix(colon + 1);
  return text.substr(0, text.find('('));
}

bool is_log(std::string_view name) {
  std::string lower = to_lower(name);
  return lower.ends_with("log") || lower.ends_with("logfile");
}

class PlaceCollector {
 public:
  PlaceCollector(const Config& config, Root& root) : config_(config), root_(root) {}

  WrittenPlaces run() {
    bool own_store = false;
    for (const Node& node : config_.nodes) {
      if (node.section || node.arguments().empty()) continue;
      std::string_view value = node.arguments().front().value;
      auto named = [&](std::string_view name) { return node.is(name); };
      if (std::ranges::any_of(kStateDirectories, named)) {
        add_directory(bare_path(value));
        own_store = own_store || node.is("MDStoreDir");
      } else if (std::ranges::any_of(kStateFiles, named)) {
        add_directory(parent_directory(bare_path(value)));
      } else if (is_log(node.name())) {
        add_log(value);
      }
    }
    if (!own_store && config_.has_module("md_module")) add_directory("md");
    return std::move(places_);
  }

 private:
  std::string absolute(std::string_view path) const {
    return normalized(absolute_in(config_.server_root, path));
  }

  std::optional<std::string> real(const std::string& path, FileKind kind) const {
    auto found = root_.real_path(path);
    if (!found || *found == "/") return std::nullopt;
    auto info = root_.files().stat(*found);
    if (!info || info->kind != kind) return std::nullopt;
    return std::move(*found);
  }

  void add_directory(std::string_view path) {
    auto found = real(absolute(path), FileKind::directory);
    if (found && known_.insert(*found).second) places_.state.push_back(std::move(*found));
  }

  // An existing log file is masked; a missing one would be created, so its directory is covered. A
  // piped logger writes to the paths in its arguments.
  void add_log(std::string_view value) {
    if (value.starts_with('|')) {
      for (const std::string& word : split(value, ' '))
        if (word.starts_with('/')) add_directory(parent_directory(word));
      return;
    }
    std::string path = absolute(value);
    auto found = real(path, FileKind::regular);
    if (!found) return add_directory(parent_directory(path));
    if (known_.insert(*found).second) places_.logs.push_back(std::move(*found));
  }

  const Config& config_;
  Root& root_;
  std::set<std::string> known_;
  WrittenPlaces places_;
};

}  // namespace

WrittenPlaces written_places(const Config& config, Root& root) {
  return PlaceCollector(config, root).run();
}

}  // namespace certrebind::apache
