#include "service/apache/include_paths.h"

#include <fmt/format.h>

#include "base/text.h"
#include "service/glob.h"

namespace certrebind::apache {

namespace {

constexpr int kDeepest = 20;            // AP_MAX_INCLUDE_DIR_DEPTH
constexpr size_t kMostFiles = 200'000;  // links that lead in circles end here

class Expander {
 public:
  explicit Expander(Root& root) : root_(root) {}

  IncludePaths run(std::string_view pattern) {
    match("", pattern.substr(1), 0);
    if (found_.files.empty() && found_.problem.empty() && is_glob(pattern) && !directory_found_)
      found_.problem = "no file matches the pattern";
    return std::move(found_);
  }

 private:
  bool is_directory(const std::string& path) const {
    auto real = root_.real_path(path.empty() ? "/" : path);
    if (!real) return false;
    auto info = root_.files().stat(*real);
    return info && info->kind == FileKind::directory;
  }

  std::vector<std::string> entries(const std::string& directory) {
    auto real = root_.real_path(directory.empty() ? "/" : directory);
    auto names = real ? root_.files().list(*real) : Result<std::vector<std::string>>(pass(real));
    if (!names) return {};
    found_.directories.push_back(directory);
    return std::move(*names);
  }

  void match(const std::string& directory, std::string_view rest, int depth) {
    size_t slash = rest.find('/');
    std::string_view component = rest.substr(0, slash);
    std::string_view after = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    bool last = slash == std::string_view::npos;
    if (component.empty() && !last) return match(directory, after, depth);
    if (!is_glob(component)) {
      std::string path = fmt::format("{}/{}", directory, component);
      return last ? add(component.empty() ? directory : path, depth) : match(path, after, depth);
    }
    for (const std::string& name : entries(directory)) {
      if (!glob_match(component, name)) continue;
      std::string path = fmt::format("{}/{}", directory, name);
      if (last) {
        add(path, depth);
      } else if (is_directory(path)) {
        match(path, after, depth);
      }
    }
  }

  void add(const std::string& path, int depth) {
    if (!is_directory(path)) {
      if (found_.files.size() < kMostFiles) found_.files.push_back(path);
      return;
    }
    directory_found_ = true;
    if (depth >= kDeepest) {
      found_.problem =
          fmt::format("the directory {} is nested more than {} deep", printable(path), kDeepest);
      return;
    }
    for (const std::string& name : entries(path)) add(fmt::format("{}/{}", path, name), depth + 1);
  }

  Root& root_;
  IncludePaths found_;
  bool directory_found_ = false;
};

}  // namespace

IncludePaths include_paths(std::string_view pattern, Root& root) {
  return Expander(root).run(pattern);
}

}  // namespace certrebind::apache
