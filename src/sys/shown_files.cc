#include "sys/shown_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sys/system_error.h"

namespace certrebind {

namespace {

// The files are made in a file system in memory, which needs a directory for a moment: one that
// exists everywhere, and under which no server has certificates.
constexpr const char* kMomentary = "/proc";

bool write_whole(int file, const std::string& content) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t put = ::write(file, content.data() + done, content.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

}  // namespace

Result<ShownFiles> ShownFiles::prepare(const std::vector<ShownFile>& shown) {
  ShownFiles files;
  for (const ShownFile& each : shown) {
    struct stat info {};
    if (::stat(each.path.c_str(), &info) != 0) return system_failure(errno, "cover", each.path);
    files.covers_.push_back({.path = each.path,
                             .staged = fmt::format("{}/{}", kMomentary, files.covers_.size()),
                             .content = each.content,
                             .owner = info.st_uid,
                             .group = info.st_gid,
                             .mode = each.mode.value_or(info.st_mode & 07777)});
  }
  return files;
}

bool ShownFiles::cover() const {
  if (::mount("tmpfs", kMomentary, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return false;
  for (const Cover& each : covers_) {
    const int file = ::open(each.staged.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return false;
    const bool made = write_whole(file, each.content) &&
                      ::fchown(file, each.owner, each.group) == 0 && ::fchmod(file, each.mode) == 0;
    ::close(file);
    if (!made) return false;
    if (::mount(each.staged.c_str(), each.path.c_str(), nullptr, MS_BIND, nullptr) != 0)
      return false;
  }
  return ::umount2(kMomentary, MNT_DETACH) == 0;
}

}  // namespace certrebind
