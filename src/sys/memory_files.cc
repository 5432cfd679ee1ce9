#include "sys/memory_files.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind {

namespace {

std::unexpected<Error> missing(const std::string& doing, const std::string& path) {
  return fail(Code::not_found, doing, path, "No such file or directory");
}

}  // namespace

bool MemoryFiles::Change::touches(const std::string& directory) const {
  return std::ranges::any_of(
      entries, [&](const auto& entry) { return parent_directory(entry.first) == directory; });
}

MemoryFiles::MemoryFiles() {
  live_["/"] = make_node(FileKind::directory, "", 0755);
  durable_ = live_;
}

MemoryFiles::NodePtr MemoryFiles::make_node(FileKind kind, const std::string& bytes,
                                            uint32_t mode) {
  auto node = std::make_shared<Node>();
  now_ns_ += 1'000'000;
  node->info = {.kind = kind,
                .device = 1,
                .inode = next_inode_++,
                .size = bytes.size(),
                .modified_ns = now_ns_,
                .changed_ns = now_ns_,
                .mode = mode};
  node->bytes = bytes;
  // A link's target is part of its inode, so it is as durable as the entry.
  if (kind == FileKind::symlink) node->synced_bytes = bytes;
  node->attributes.mode = mode;
  return node;
}

void MemoryFiles::put(const std::string& path, const std::string& bytes, uint32_t mode) {
  std::string parent = parent_directory(path);
  if (!live_.contains(parent)) {
    put(parent, "", 0755);
    live_[parent]->info.kind = FileKind::directory;
  }
  live_[path] = make_node(FileKind::regular, bytes, mode);
  live_[path]->synced_bytes = bytes;
  durable_ = live_;
}

void MemoryFiles::put_link(const std::string& path, const std::string& target) {
  put(path, target);
  live_[path]->info.kind = FileKind::symlink;
}

void MemoryFiles::overwrite(const std::string& path, const std::string& bytes) {
  NodePtr node = live_.at(real_path(path).value());
  node->bytes = bytes;
  node->synced_bytes = bytes;
  node->info.size = bytes.size();
  node->info.modified_ns = node->info.changed_ns = now_ns_ += 1'000'000;
}

void MemoryFiles::write(Entries& tree, const Change& change) {
  for (const auto& [path, node] : change.entries) {
    if (node) {
      tree[path] = node;
    } else {
      tree.erase(path);
    }
  }
}

void MemoryFiles::apply(Change change) {
  write(live_, change);
  pending_.push_back(std::move(change));
}

void MemoryFiles::crash(const std::function<bool()>& survives) {
  for (const Change& change : pending_)
    if (survives()) write(durable_, change);
  pending_.clear();
  for (auto& [path, node] : durable_) {
    node = std::make_shared<Node>(*node);
    if (node->info.kind == FileKind::regular) node->bytes = node->synced_bytes;
    node->info.size = node->bytes.size();
  }
  live_ = durable_;
}

Result<std::string> MemoryFiles::resolve(const std::string& path) const {
  std::string rest = path, done;
  for (int hops = 0; hops < 40;) {
    size_t slash = rest.find('/', 1);
    std::string next = done + rest.substr(0, slash);
    rest = slash == std::string::npos ? "" : rest.substr(slash);
    auto entry = live_.find(next);
    if (entry == live_.end()) return missing("resolve", path);
    if (entry->second->info.kind == FileKind::symlink) {
      rest = normalized(absolute_in(done.empty() ? "/" : done, entry->second->bytes)) + rest;
      done.clear();
      ++hops;
      continue;
    }
    if (rest.empty()) return next;
    done = next == "/" ? "" : next;
  }
  return fail(Code::failed, "resolve", path, "Too many levels of symbolic links");
}

Result<MemoryFiles::NodePtr> MemoryFiles::find(const std::string& doing,
                                               const std::string& path) const {
  auto real = resolve(path);
  if (!real) return missing(doing, path);
  return live_.at(*real);
}

Done MemoryFiles::needs_parent(const std::string& path) const {
  if (live_.contains(parent_directory(path))) return {};
  return missing("create", path);
}

Result<std::string> MemoryFiles::read_from(const std::string& path, uint64_t offset,
                                           size_t limit) const {
  auto bytes = read(path, kConfigLimit);
  if (!bytes || offset > bytes->size()) return bytes ? Result<std::string>("") : bytes;
  return bytes->substr(offset, limit);
}

Result<std::string> MemoryFiles::read(const std::string& path, size_t limit) const {
  auto node = find("read", path);
  if (!node) return pass(node);
  if ((*node)->info.kind != FileKind::regular)
    return fail(Code::failed, "read", path, "it is a directory");
  if ((*node)->bytes.size() > limit)
    return fail(Code::failed, "read", path, "it is too large to be what it should");
  return (*node)->bytes;
}

Result<FileInfo> MemoryFiles::stat(const std::string& path) const {
  auto node = find("look at", path);
  if (!node) return pass(node);
  return (*node)->info;
}

Result<FileInfo> MemoryFiles::lstat(const std::string& path) const {
  auto entry = live_.find(path);
  if (entry == live_.end()) return missing("look at", path);
  return entry->second->info;
}

Result<std::string> MemoryFiles::read_link(const std::string& path) const {
  auto entry = live_.find(path);
  if (entry == live_.end()) return missing("read the link", path);
  if (entry->second->info.kind != FileKind::symlink)
    return fail(Code::unsupported, "read the link", path, "it is no link");
  return entry->second->bytes;
}

Result<std::string> MemoryFiles::real_path(const std::string& path) const {
  return resolve(path);
}

Result<std::vector<std::string>> MemoryFiles::list(const std::string& directory) const {
  auto real = resolve(directory);
  if (!real) return missing("list", directory);
  std::vector<std::string> names;
  for (const auto& [path, node] : live_)
    if (path != "/" && parent_directory(path) == *real) names.push_back(file_name(path));
  std::ranges::sort(names);
  return names;
}

Result<Attributes> MemoryFiles::attributes(const std::string& path) const {
  auto node = find("look at", path);
  if (!node) return pass(node);
  return (*node)->attributes;
}

Done MemoryFiles::create(const std::string& path, const std::string& bytes,
                         const Attributes& attributes, std::optional<int64_t> modified_ns) {
  if (live_.contains(path)) return fail(Code::exists, "create", path, "File exists");
  if (Done parent = needs_parent(path); !parent) return parent;
  NodePtr node = make_node(FileKind::regular, bytes, attributes.mode);
  node->attributes = attributes;
  if (modified_ns) node->info.modified_ns = *modified_ns;
  apply({.entries = {{path, node}}});
  return {};
}

Done MemoryFiles::link(const std::string& existing, const std::string& path) {
  if (!live_.contains(existing)) return missing("link", path);
  if (live_.contains(path)) return fail(Code::exists, "link", path, "File exists");
  apply({.entries = {{path, live_.at(existing)}}});
  return {};
}

Done MemoryFiles::symlink(const std::string& target, const std::string& path) {
  if (live_.contains(path)) return fail(Code::exists, "link", path, "File exists");
  if (Done parent = needs_parent(path); !parent) return parent;
  apply({.entries = {{path, make_node(FileKind::symlink, target, 0777)}}});
  return {};
}

Done MemoryFiles::rename(const std::string& from, const std::string& to) {
  if (!live_.contains(from)) return missing("rename", from);
  NodePtr moved = live_.at(from);
  // rename(2) of two names of one inode does nothing.
  if (live_.contains(to) && live_.at(to) == moved) return {};
  apply({.entries = {{to, moved}, {from, nullptr}}});
  return {};
}

Done MemoryFiles::exchange(const std::string& one, const std::string& other) {
  if (!can_exchange)
    return fail(Code::unsupported, "exchange", one + " and " + other, "Invalid argument");
  if (!live_.contains(one)) return missing("exchange", one);
  if (!live_.contains(other)) return missing("exchange", other);
  apply({.entries = {{one, live_.at(other)}, {other, live_.at(one)}}});
  return {};
}

Done MemoryFiles::remove(const std::string& path) {
  if (!live_.contains(path)) return missing("remove", path);
  auto children = list(path);
  if (live_.at(path)->info.kind == FileKind::directory && children && !children->empty())
    return fail(Code::failed, "remove", path, "Directory not empty");
  apply({.entries = {{path, nullptr}}});
  return {};
}

Done MemoryFiles::make_directory(const std::string& path, uint32_t mode) {
  if (live_.contains(path)) return fail(Code::exists, "create", path, "File exists");
  if (Done parent = needs_parent(path); !parent) return parent;
  apply({.entries = {{path, make_node(FileKind::directory, "", mode)}}});
  return {};
}

Done MemoryFiles::sync(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    auto node = find("sync", path);
    if (!node) return pass(node);
    (*node)->synced_bytes = (*node)->bytes;
    // Journalling file systems write entries in order, and syncing one directory writes earlier
    // changes of others only if necessary. The weakest guarantee is that this directory's own
    // changes are written.
    std::vector<Change> later;
    for (Change& change : pending_) {
      if (change.touches(path)) {
        write(durable_, change);
      } else {
        later.push_back(std::move(change));
      }
    }
    pending_ = std::move(later);
  }
  return {};
}

}  // namespace certrebind
