#include "service/apache/include_paths.h"

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "service/glob.h"
#include "sys/file_name.h"

namespace certrebind::apache {

namespace {

constexpr int kDeepestPattern = 20;        // AP_MAX_INCLUDE_DIR_DEPTH
constexpr size_t kMostFiles = 200'000;     // stops circular links
constexpr size_t kListsWorthThreads = 64;  // checking fewer takes less time than starting a thread

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
  bool is_directory(const std::string& path) {
    auto found = find(path);
    return found && found->kind == FileKind::directory;
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
      if (!last) return match(path, after, depth);
      if (component.empty()) path = directory;
      return add(path, find(path), depth);
    }
    const std::string pattern(component);
    std::vector<std::string> paths;
    for (const std::string& name : entries(directory))
      if (file_name_matches(pattern, name)) paths.push_back(fmt::format("{}/{}", directory, name));
    if (last) return add_all(paths, depth);
    for (const std::string& path : paths)
      if (is_directory(path)) match(path, after, depth);
  }

  Result<Root::Found> find(const std::string& path) {
    return root_.find(path.empty() ? "/" : path);
  }

  // Checks many paths in parallel, and adds them in order.
  void add_all(const std::vector<std::string>& paths, int depth) {
    std::vector<Result<Root::Found>> found(paths.size());
    size_t threads = paths.size() < kListsWorthThreads ? 1 : std::thread::hardware_concurrency();
    for_each_index(paths.size(), threads, [&](size_t i) { found[i] = find(paths[i]); });
    for (size_t i = 0; i < paths.size(); ++i) add(paths[i], std::move(found[i]), depth);
  }

  void add(const std::string& path, Result<Root::Found> found, int depth) {
    if (!found || found->kind != FileKind::directory) {
      if (found_.files.size() < kMostFiles)
        found_.files.push_back({path, found ? std::move(found->real) : ""});
      return;
    }
    directory_found_ = true;
    if (depth >= kDeepestPattern) {
      found_.problem = fmt::format("the directory {} is nested more than {} deep", printable(path),
                                   kDeepestPattern);
      return;
    }
    found_.whole.push_back(path);
    std::vector<std::string> inside;
    for (const std::string& name : entries(path))
      inside.push_back(fmt::format("{}/{}", path, name));
    add_all(inside, depth + 1);
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
