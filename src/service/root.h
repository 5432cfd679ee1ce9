// Converts between paths inside a server's root directory and paths on this host. A chrooted nginx
// means its own tree by "/etc/nginx/nginx.conf", and one in a container what is mounted there. Only
// this file does the conversion.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "sys/container.h"
#include "sys/files.h"

namespace certrebind {

class Root {
 public:
  // Takes the root directory on this host; it is "/" for an ordinary server, and "/proc/PID/root"
  // for one in a container.
  Root(std::string directory, const Files& files);

  const Files& files() const { return files_; }
  const std::string& directory() const { return directory_; }

  // Converts an absolute path inside the root to one on this host. Does not follow links. A path of
  // a container is one below "/proc/PID/root" where its mounts show no file of this host.
  std::string on_host(std::string_view inside) const;

  // The inverse of `on_host`; unset for a path outside the root.
  std::optional<std::string> inside(std::string_view on_host) const;

  // Takes an absolute path inside the root and returns the real path on this host. Follows links as
  // the server would: an absolute target starts at the server's root. Fails as Files::lstat does,
  // and on more than 40 links. Caches real directories, so that ten thousand files in one directory
  // cost one lstat each. Several threads may call it at once.
  Result<std::string> real_path(const std::string& inside);

  // Like real_path, and returns the file's status too, without another lstat.
  struct Found {
    std::string real;  // on this host
    FileKind kind = FileKind::other;
  };
  Result<Found> find(const std::string& inside);

 private:
  // By real path inside the root; the key is empty for the root itself.
  Result<Found> resolve(std::string_view inside, int links);
  Result<std::string> resolve_directory(std::string_view inside, int links);
  Result<Found> resolve_entry(std::string directory, std::string_view name, int links);

  std::string below(std::string_view inside) const { return directory_ + std::string(inside); }

  std::string directory_;  // without a trailing slash: empty for "/"
  std::optional<ContainerPaths> container_;
  const Files& files_;
  std::mutex lock_;  // protects the members below
  std::unordered_map<std::string, std::string> real_directories_;
};

}  // namespace certrebind
