// Paths inside a server's root directory and on this host: a chrooted nginx means its own tree by
// "/etc/nginx/nginx.conf". The one place where the two meet.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

class Root {
 public:
  // Takes the root directory on this host, "/" for an ordinary server.
  Root(std::string directory, const Files& files);

  const Files& files() const { return files_; }
  const std::string& directory() const { return directory_; }

  // Takes an absolute path inside the root; gives it on this host, links not followed.
  std::string on_host(std::string_view inside) const;

  // The other way; nothing for a path outside the root.
  std::optional<std::string> inside(std::string_view on_host) const;

  // Takes an absolute path inside the root; gives the real path on this host. Links are followed as
  // the server would, an absolute target beginning at its root. Fails as Files::lstat does, and on
  // more than 40 links. Real directories are remembered: ten thousand files in one cost one lstat
  // each. Several threads may ask at once.
  Result<std::string> real_path(const std::string& inside);

  // The same, and what lies there, without another look.
  struct Found {
    std::string real;  // on this host
    FileKind kind = FileKind::other;
  };
  Result<Found> find(const std::string& inside);

 private:
  // Of real paths inside the root; empty for the root itself.
  Result<Found> resolve(std::string_view inside, int links);
  Result<std::string> resolve_directory(std::string_view inside, int links);
  Result<Found> resolve_entry(std::string directory, std::string_view name, int links);

  std::string directory_;  // without a trailing slash: empty for "/"
  const Files& files_;
  std::mutex lock_;  // of what follows
  std::unordered_map<std::string, std::string> real_directories_;
};

}  // namespace certrebind
