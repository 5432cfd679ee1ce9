#include "sys/container.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <set>
#include <thread>

#include "base/number.h"
#include "base/text.h"
#include "sys/descriptor.h"
#include "sys/disk.h"
#include "sys/proc_files.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

// "\040" and the like (proc(5)).
std::string without_escapes(std::string_view word) {
  std::string plain;
  for (size_t i = 0; i < word.size(); ++i) {
    auto byte = word[i] == '\\' ? whole_number<unsigned char>(word.substr(i + 1, 3), 8)
                                : std::optional<unsigned char>();
    plain += byte ? static_cast<char>(*byte) : word[i];
    if (byte) i += 3;
  }
  return plain;
}

// The rest of `path` behind `beginning`, which is "" or begins with a slash.
std::optional<std::string_view> rest_behind(std::string_view path, std::string_view beginning) {
  if (beginning == "/") return path == "/" ? "" : path;
  if (!is_within(path, beginning)) return std::nullopt;
  return path.substr(beginning.size());
}

std::string joined(const std::string& directory, std::string_view rest) {
  std::string path = directory == "/" ? std::string(rest) : directory + std::string(rest);
  return path.empty() ? "/" : path;
}

// The mount on which a path lies.
const Mount* mount_at(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts)
    if (rest_behind(path, mount.point) && (!best || mount.point.size() >= best->point.size()))
      best = &mount;
  return best;
}

// A path of `from`, as a mount of `to` shows it: the one that shows the least else.
std::optional<std::string> carried_over(std::string_view path, const std::vector<Mount>& from,
                                        const std::vector<Mount>& to) {
  const Mount* mount = mount_at(from, path);
  if (!mount) return std::nullopt;
  const std::string in_system = joined(mount->root, *rest_behind(path, mount->point));
  const Mount* best = nullptr;
  for (const Mount& other : to)
    if (other.device == mount->device && rest_behind(in_system, other.root) &&
        (!best || other.root.size() >= best->root.size()))
      best = &other;
  if (!best) return std::nullopt;
  return joined(best->point, *rest_behind(in_system, best->root));
}

struct MountNamespace {
  FileInfo root;
  std::vector<Mount> mounts;
};

// As a thread sees it that enters it: its root directory is that of the namespace then (setns(2)).
// Nothing but the two files is looked at there; the second one is in our /proc.
std::optional<MountNamespace> mount_namespace_of(int pid) {
  std::optional<MountNamespace> found;
  std::jthread([&] {
    const Descriptor theirs(::open(proc(pid, "ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor ours(::open("/proc/thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (theirs.get() < 0 || ours.get() < 0 || ::unshare(CLONE_FS) != 0 ||
        ::setns(theirs.get(), CLONE_NEWNS) != 0)
      return;
    auto root = Disk().stat("/");
    const Descriptor table(::openat(ours.get(), "mountinfo", O_RDONLY | O_CLOEXEC));
    if (!root || table.get() < 0) return;
    std::string text;
    constexpr size_t kPiece = 16384;
    for (ssize_t got = 1; got > 0;) {
      const size_t size = text.size();
      text.resize(size + kPiece);
      got = ::read(table.get(), text.data() + size, kPiece);
      text.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    }
    found = MountNamespace{.root = *root, .mounts = parse_mounts(text)};
  }).join();
  return found;
}

class ContainerFiles final : public Files {
 public:
  explicit ContainerFiles(const std::string& root)
      : paths_(container_paths(root)),
        root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

  Result<std::string> read(const std::string& path, size_t limit) const override {
    return at_regular(path, [&](const std::string& open) { return disk_.read(open, limit); });
  }
  Result<std::string> read_from(const std::string& path, uint64_t offset,
                                size_t limit) const override {
    return at_regular(
        path, [&](const std::string& open) { return disk_.read_from(open, offset, limit); });
  }
  Result<FileInfo> stat(const std::string& path) const override {
    return at(path, 0, [&](const std::string& open) { return disk_.stat(open); });
  }
  // A descriptor's link in /proc leads to the link that it is open on, and no further.
  Result<FileInfo> lstat(const std::string& path) const override {
    return at(path, O_NOFOLLOW, [&](const std::string& open) { return disk_.stat(open); });
  }
  Result<std::string> read_link(const std::string& path) const override {
    if (is_of_host(path)) return disk_.read_link(path);
    auto file = open(path, O_NOFOLLOW);
    if (!file) return pass(file);
    std::string target(PATH_MAX, '\0');
    ssize_t length = ::readlinkat(file->get(), "", target.data(), target.size());
    if (length < 0) return system_failure(errno, "read the link", path);
    target.resize(static_cast<size_t>(length));
    return target;
  }
  // Not by the kernel's word, which names the path on this host or none.
  Result<std::string> real_path(const std::string& path) const override {
    constexpr int kMostLinks = 40;  // as in path_resolution(7)
    if (is_of_host(path)) return disk_.real_path(path);
    auto inside = paths_.inside(path);
    if (!inside) return outside(path);
    std::vector<std::string> to_go = components(*inside);
    std::string real;
    for (int links = 0; !to_go.empty();) {
      const std::string name = to_go.back();
      to_go.pop_back();
      if (name == "..") real.resize(real.empty() ? 0 : real.rfind('/'));
      if (name == "..") continue;
      const std::string next = real + "/" + name;
      auto info = lstat(paths_.root() + next);
      if (!info) return pass(info);
      if (info->kind != FileKind::symlink) {
        real = next;
        continue;
      }
      auto target = read_link(paths_.root() + next);
      if (!target) return pass(target);
      if (++links > kMostLinks)
        return fail(Code::failed, "resolve", path, "too many levels of symbolic links");
      if (target->starts_with('/')) real.clear();
      for (std::string& each : components(*target)) to_go.push_back(std::move(each));
    }
    return place_of(real.empty() ? "/" : real);
  }
  Result<std::vector<std::string>> list(const std::string& directory) const override {
    return at(directory, O_DIRECTORY, [&](const std::string& open) { return disk_.list(open); });
  }
  Result<Attributes> attributes(const std::string& path) const override {
    return at_regular(path, [&](const std::string& open) { return disk_.attributes(open); });
  }

  Done create(const std::string& path, const std::string&, const Attributes&,
              std::optional<int64_t>) override {
    return not_written(path);
  }
  Done link(const std::string&, const std::string& path) override { return not_written(path); }
  Done symlink(const std::string&, const std::string& path) override { return not_written(path); }
  Done rename(const std::string&, const std::string& to) override { return not_written(to); }
  Done exchange(const std::string& one, const std::string&) override { return not_written(one); }
  Done remove(const std::string& path) override { return not_written(path); }
  Done make_directory(const std::string& path, uint32_t) override { return not_written(path); }
  Done sync(const std::vector<std::string>&) override { return {}; }

 private:
  static std::unexpected<Error> not_written(const std::string& path) {
    return fail(Code::denied, "write", path, "it is read in a container only");
  }
  static std::unexpected<Error> outside(const std::string& path) {
    return fail(Code::not_found, "look at", path, "the container does not have it");
  }

  // What the kernel says of processes and networks is not the container's.
  bool is_of_host(const std::string& path) const {
    return path.starts_with("/proc/") && !is_within(path, paths_.root());
  }

  // The last component first, without "." and empty ones.
  static std::vector<std::string> components(const std::string& path) {
    std::vector<std::string> all = split(path, '/');
    std::erase_if(all, [](const std::string& each) { return each.empty() || each == "."; });
    std::ranges::reverse(all);
    return all;
  }

  // On this host, where its mounts show the same file.
  std::string place_of(const std::string& inside) const {
    const std::string below_root = paths_.root() + inside;
    auto on_host = paths_.on_host(inside);
    auto theirs = lstat(below_root);
    auto ours = on_host ? disk_.lstat(*on_host) : theirs;
    return on_host && theirs && ours && ours->same_file(*theirs) ? *on_host : below_root;
  }

  Result<Descriptor> open(const std::string& path, int flags) const {
    auto inside = paths_.inside(path);
    if (!inside) return outside(path);
    open_how how{};
    how.flags = static_cast<uint64_t>(O_PATH | O_CLOEXEC | flags);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    constexpr int kTries = 100;  // EAGAIN: somebody renames directories there meanwhile
    for (int i = 0; i < kTries; ++i) {
      const long number =
          ::syscall(SYS_openat2, root_.get(), inside->c_str() + 1, &how, sizeof how);
      if (number >= 0) return Descriptor(static_cast<int>(number));
      if (errno != EAGAIN) break;
    }
    return system_failure(errno, "open", path);
  }

  // Errors name the path, not the descriptor.
  template <class Call>
  auto at(const std::string& path, int flags, Call call) const -> decltype(call(path)) {
    if (is_of_host(path)) return call(path);
    auto file = open(path, flags);
    if (!file) return pass(file);
    auto result = call("/proc/self/fd/" + std::to_string(file->get()));
    if (result) return result;
    Error error = result.error();
    error.subject = path;
    return std::unexpected(std::move(error));
  }

  template <class Call>
  auto at_regular(const std::string& path, Call call) const -> decltype(call(path)) {
    return at(path, 0, [&](const std::string& open) -> decltype(call(path)) {
      auto info = disk_.stat(open);
      if (info && info->kind != FileKind::regular)
        return fail(Code::failed, "read", path, "it is no regular file");
      return call(open);
    });
  }

  ContainerPaths paths_;
  Descriptor root_;
  Disk disk_;
};

}  // namespace

std::vector<Mount> parse_mounts(std::string_view mountinfo) {
  constexpr size_t kDevice = 2, kRoot = 3, kPoint = 4, kOptions = 5;
  std::vector<Mount> mounts;
  for (const std::string& line : split(mountinfo, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() <= kOptions) continue;
    const std::vector<std::string> options = split(words[kOptions], ',');
    mounts.push_back({.device = words[kDevice],
                      .root = without_escapes(words[kRoot]),
                      .point = without_escapes(words[kPoint]),
                      .read_only = std::ranges::find(options, "ro") != options.end()});
  }
  return mounts;
}

ContainerPaths::ContainerPaths(std::string root, std::vector<Mount> inside, std::vector<Mount> ours)
    : root_(std::move(root)), inside_(std::move(inside)), ours_(std::move(ours)) {}

std::optional<std::string> ContainerPaths::on_host(std::string_view inside) const {
  return carried_over(inside, inside_, ours_);
}

std::optional<std::string> ContainerPaths::inside(std::string_view on_host) const {
  if (is_within(on_host, root_)) return joined("/", on_host.substr(root_.size()));
  return carried_over(on_host, ours_, inside_);
}

bool ContainerPaths::is_mounted_alone(std::string_view inside) const {
  const Mount* mount = mount_at(inside_, inside);
  return mount && mount->point == inside;
}

bool ContainerPaths::may_change(std::string_view inside, const std::vector<Mount>& others) const {
  const Mount* mount = mount_at(inside_, inside);
  if (!mount) return true;
  const std::string in_system = joined(mount->root, *rest_behind(inside, mount->point));
  auto lets_change = [&](const Mount& other) {
    return other.device == mount->device && rest_behind(in_system, other.root) && !other.read_only;
  };
  return std::ranges::any_of(inside_, lets_change) || std::ranges::any_of(others, lets_change);
}

std::vector<Mount> mounts_of_containers() {
  std::vector<Mount> mounts;
  std::set<std::string> seen = {link_or_empty("/proc/self/ns/mnt"), ""};
  const auto our_root = Disk().stat("/");
  for (const std::string& name : Disk().list("/proc").value_or(std::vector<std::string>())) {
    const auto pid = whole_number<int>(name);
    if (!pid || !seen.insert(link_or_empty(proc(*pid, "ns/mnt"))).second) continue;
    auto space = mount_namespace_of(*pid);
    if (!space || (our_root && our_root->same_file(space->root))) continue;
    std::ranges::move(space->mounts, std::back_inserter(mounts));
  }
  return mounts;
}

bool is_in_container(int pid) {
  const auto space = mount_namespace_of(pid);
  const auto our_root = Disk().stat("/");
  return !space || !our_root || !our_root->same_file(space->root);
}

bool has_own_users(int pid) {
  return link_or_empty(proc(pid, "ns/user")) != link_or_empty("/proc/self/ns/user");
}

std::optional<int> process_of_container(std::string_view root) {
  constexpr std::string_view kBeginning = "/proc/", kEnd = "/root";
  if (!root.starts_with(kBeginning) || !root.ends_with(kEnd)) return std::nullopt;
  if (root.size() <= kBeginning.size() + kEnd.size()) return std::nullopt;
  root.remove_prefix(kBeginning.size());
  root.remove_suffix(kEnd.size());
  return whole_number<int>(root);
}

std::string container_of(std::string_view path) {
  constexpr std::string_view kEnd = "/root";
  const size_t end = path.find("/root/");
  if (end == std::string_view::npos) return "";
  const std::string_view root = path.substr(0, end + kEnd.size());
  return process_of_container(root) ? std::string(root) : "";
}

ContainerPaths container_paths(const std::string& root) {
  const int pid = process_of_container(root).value_or(0);
  return {root, parse_mounts(read_or_empty(proc(pid, "mountinfo"))),
          parse_mounts(read_or_empty("/proc/self/mountinfo"))};
}

std::unique_ptr<Files> container_files(const std::string& root) {
  return std::make_unique<ContainerFiles>(root);
}

Result<std::string> real_path_anywhere(const std::string& path, const Files& ours) {
  const std::string root = container_of(path);
  return root.empty() ? ours.real_path(path) : container_files(root)->real_path(path);
}

}  // namespace certrebind
