#include "service/root.h"

#include "base/text.h"

namespace certrebind {

namespace {

constexpr int kMostLinks = 40;  // as path_resolution(7)

std::string_view without_trailing_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

Root::Root(std::string directory, const Files& files)
    : directory_(without_trailing_slashes(directory)), files_(files) {}

std::string Root::on_host(std::string_view inside) const {
  return std::string(directory_).append(inside);
}

std::optional<std::string> Root::inside(std::string_view on_host) const {
  if (directory_.empty()) return std::string(on_host);
  if (!is_within(on_host, directory_)) return std::nullopt;
  std::string_view rest = on_host.substr(directory_.size());
  return rest.empty() ? "/" : std::string(rest);
}

Result<std::string> Root::real_path(const std::string& inside) {
  auto real = resolve(inside, 0);
  if (!real) return real;
  return on_host(real->empty() ? "/" : *real);
}

// The real path inside the root; empty for the root itself.
Result<std::string> Root::resolve(std::string_view inside, int links) {
  inside = without_trailing_slashes(inside);
  size_t slash = inside.rfind('/');
  if (slash == std::string_view::npos) return std::string();
  auto directory = resolve_directory(inside.substr(0, slash), links);
  if (!directory) return directory;
  return resolve_entry(std::move(*directory), inside.substr(slash + 1), links);
}

Result<std::string> Root::resolve_directory(std::string_view inside, int links) {
  std::string key(inside);
  {
    std::lock_guard locked(lock_);
    auto known = real_directories_.find(key);
    if (known != real_directories_.end()) return known->second;
  }
  auto real = resolve(inside, links);
  std::lock_guard locked(lock_);
  if (real) real_directories_.emplace(std::move(key), *real);
  return real;
}

Result<std::string> Root::resolve_entry(std::string directory, std::string_view name, int links) {
  if (name == ".") return directory;
  if (name == "..") return directory.substr(0, directory.empty() ? 0 : directory.rfind('/'));
  std::string path = directory + '/';
  path.append(name);
  std::string here = on_host(path);
  auto info = files_.lstat(here);
  if (!info) return pass(info);
  if (info->kind != FileKind::symlink) return path;
  if (links >= kMostLinks)
    return fail(Code::failed, "resolve", here, "too many levels of symbolic links");
  auto target = files_.read_link(here);
  if (!target) return target;
  return resolve(absolute_in(directory + '/', *target), links + 1);
}

}  // namespace certrebind
