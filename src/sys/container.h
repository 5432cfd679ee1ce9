// A process in a container: another root directory in a mount namespace of its own
// (mount_namespaces(7)). Its paths name other files than ours, and whoever rules the container
// chooses what lies there. So its files are reached from its root directory only, and no link leads
// out of it (RESOLVE_IN_ROOT of openat2(2)).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// A line of mountinfo (proc(5)).
struct Mount {
  std::string device;  // "8:1"
  std::string root;    // the directory, or file, of the file system that is mounted
  std::string point;   // where
  bool read_only = false;
};

// The mounts in the order of mountinfo: a later one covers an earlier one at the same point.
std::vector<Mount> parse_mounts(std::string_view mountinfo);

// Where paths of a container lie on this host.
class ContainerPaths {
 public:
  // `root` is the root directory as this host sees it: "/proc/PID/root".
  ContainerPaths(std::string root, std::vector<Mount> inside, std::vector<Mount> ours);

  // The path on this host, which has to be checked: another mount may cover it. Unset if no mount
  // of ours shows it.
  std::optional<std::string> on_host(std::string_view inside) const;
  // The inverse, also for a path below `root`.
  std::optional<std::string> inside(std::string_view on_host) const;
  // Whether a path of the container is mounted as a single file: a new file in its place on this
  // host is not seen inside.
  bool is_mounted_alone(std::string_view inside) const;
  // Whether a container may change what lies there, by this path or another one: with its own
  // mounts, or with `others`.
  bool may_change(std::string_view inside, const std::vector<Mount>& others = {}) const;
  const std::string& root() const { return root_; }

 private:
  std::string root_;
  std::vector<Mount> inside_, ours_;
};

// The mounts of all containers of this host. Whole mount namespaces: chroot(2) hides mounts from a
// process, not from those around it.
std::vector<Mount> mounts_of_containers();

// Whether the root directory of the process's mount namespace is none of ours. chroot(2) does not
// move it: a container may change its root directory to a mount that has the same name here. True
// if it cannot be found out.
bool is_in_container(int pid);

// Whether the process has user ids of its own (user_namespaces(7)). With them anybody makes mounts,
// and shows as read-only what another process may write.
bool has_own_users(int pid);

// The process id in "/proc/PID/root"; unset for any other path.
std::optional<int> process_of_container(std::string_view root);

// "/proc/PID/root" of a path below it; empty for any other path.
std::string container_of(std::string_view path);

// Reads the mounts of the process and of this one. No mounts if the process is gone.
ContainerPaths container_paths(const std::string& root);

// The files of a container, to be read only. Takes paths below its root directory, and paths of
// this host that its mounts show. Only regular files are opened: a device of a container is one of
// this host. Paths below /proc are those of this host.
std::unique_ptr<Files> container_files(const std::string& root);

// The real path of a path of this host, or of one below "/proc/PID/root", whose links lead to files
// of the container.
Result<std::string> real_path_anywhere(const std::string& path, const Files& ours);

}  // namespace certrebind
