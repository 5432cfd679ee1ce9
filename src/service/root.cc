#include "service/root.h"

#include "base/text.h"
#include "sys/disk.h"

namespace certrebind {

namespace {

constexpr int kMostLinks = 40;  // as in path_resolution(7)

std::string_view without_trailing_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

Root::Root(std::string directory, const Files& files)
    : directory_(without_trailing_slashes(directory)), files_(files) {
  if (process_of_container(directory_)) container_ = container_paths(directory_);
}

// What is mounted over something else on one side only is another file there.
std::string Root::on_host(std::string_view inside) const {
  auto shown = container_ ? container_->on_host(inside) : std::nullopt;
  if (!shown) return below(inside);
  auto ours = Disk().stat(*shown), theirs = files_.stat(below(inside));
  return ours && theirs && ours->same_file(*theirs) ? *shown : below(inside);
}

std::optional<std::string> Root::inside(std::string_view on_host) const {
  if (directory_.empty()) return std::string(on_host);
  if (container_) return container_->inside(on_host);
  if (!is_within(on_host, directory_)) return std::nullopt;
  std::string_view rest = on_host.substr(directory_.size());
  return rest.empty() ? "/" : std::string(rest);
}

Result<std::string> Root::real_path(const std::string& inside) {
  auto found = find(inside);
  if (!found) return pass(found);
  return std::move(found->real);
}

Result<Root::Found> Root::find(const std::string& inside) {
  auto found = resolve(inside, 0);
  if (found) found->real = on_host(found->real.empty() ? "/" : found->real);
  return found;
}

Result<Root::Found> Root::resolve(std::string_view inside, int links) {
  inside = without_trailing_slashes(inside);
  size_t slash = inside.rfind('/');
  if (slash == std::string_view::npos) return Found{"", FileKind::directory};
  auto directory = resolve_directory(inside.substr(0, slash), links);
  if (!directory) return pass(directory);
  return resolve_entry(std::move(*directory), inside.substr(slash + 1), links);
}

Result<std::string> Root::resolve_directory(std::string_view inside, int links) {
  std::string key(inside);
  {
    std::lock_guard locked(lock_);
    auto known = real_directories_.find(key);
    if (known != real_directories_.end()) return known->second;
  }
  auto found = resolve(inside, links);
  if (!found) return pass(found);
  std::lock_guard locked(lock_);
  real_directories_.emplace(std::move(key), found->real);
  return std::move(found->real);
}

Result<Root::Found> Root::resolve_entry(std::string directory, std::string_view name, int links) {
  if (name == ".") return Found{std::move(directory), FileKind::directory};
  if (name == "..")
    return Found{directory.substr(0, directory.empty() ? 0 : directory.rfind('/')),
                 FileKind::directory};
  std::string path = directory + '/';
  path.append(name);
  std::string here = below(path);
  auto info = files_.lstat(here);
  if (!info) return pass(info);
  if (info->kind != FileKind::symlink) return Found{std::move(path), info->kind};
  if (links >= kMostLinks)
    return fail(Code::failed, "resolve", here, "too many levels of symbolic links");
  auto target = files_.read_link(here);
  if (!target) return pass(target);
  return resolve(absolute_in(directory + '/', *target), links + 1);
}

}  // namespace certrebind
