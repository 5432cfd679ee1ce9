#include "sys/rights.h"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include "base/number.h"
#include "sys/container.h"
#include "sys/disk.h"
#include "sys/processes.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

constexpr uint32_t kNoGroup = 65534;
constexpr size_t kPasswdBuffer = 16384;
constexpr int kMostGroups = 65536;  // NGROUPS_MAX

// setgroups(2) of the C library changes every thread; the raw system call changes this one only.
bool set_groups(const std::vector<gid_t>& groups) {
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

// During its life, this thread accesses files as another user.
class Borrowed {
 public:
  explicit Borrowed(const Rights& rights) {
    own_groups_.resize(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
    bool known = ::getgroups(static_cast<int>(own_groups_.size()), own_groups_.data()) >= 0;
    if (!known || !set_groups(rights.groups)) return;
    ::setfsgid(rights.group);
    ::setfsuid(rights.user);
    // These two calls report no failure, but return the id in force.
    valid_ = static_cast<uint32_t>(::setfsuid(static_cast<uid_t>(-1))) == rights.user &&
             static_cast<uint32_t>(::setfsgid(static_cast<gid_t>(-1))) == rights.group;
  }
  ~Borrowed() {
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
    set_groups(own_groups_);
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  bool is_valid() const { return valid_; }

 private:
  std::vector<gid_t> own_groups_;
  bool valid_ = false;
};

class FilesOf final : public Files {
 public:
  FilesOf(uint32_t user, std::unique_ptr<Files> files)
      : rights_(rights_of(user)), files_(std::move(files)) {}

  Result<std::string> read(const std::string& path, size_t limit) const override {
    if (left_ <= 0) return fail(Code::denied, "read", path, "this user's files are too many");
    auto bytes = as_user(path, [&] { return files_->read(path, std::min(limit, kLargest)); });
    if (bytes) left_ -= static_cast<int64_t>(bytes->size()) + kEach;
    return bytes;
  }
  Result<std::string> read_from(const std::string& path, uint64_t offset,
                                size_t limit) const override {
    return as_user(path,
                   [&] { return files_->read_from(path, offset, std::min(limit, kLargest)); });
  }
  Result<FileInfo> stat(const std::string& path) const override {
    return as_user(path, [&] { return files_->stat(path); });
  }
  Result<FileInfo> lstat(const std::string& path) const override {
    return as_user(path, [&] { return files_->lstat(path); });
  }
  Result<std::string> read_link(const std::string& path) const override {
    return as_user(path, [&] { return files_->read_link(path); });
  }
  Result<std::string> real_path(const std::string& path) const override {
    return as_user(path, [&] { return files_->real_path(path); });
  }
  Result<std::vector<std::string>> list(const std::string& directory) const override {
    return as_user(directory, [&] { return files_->list(directory); });
  }
  Result<Attributes> attributes(const std::string& path) const override {
    return as_user(path, [&] { return files_->attributes(path); });
  }
  Done create(const std::string& path, const std::string& bytes, const Attributes& attributes,
              std::optional<int64_t> modified_ns) override {
    return as_user(path, [&] { return files_->create(path, bytes, attributes, modified_ns); });
  }
  Done link(const std::string& existing, const std::string& path) override {
    return as_user(path, [&] { return files_->link(existing, path); });
  }
  Done symlink(const std::string& target, const std::string& path) override {
    return as_user(path, [&] { return files_->symlink(target, path); });
  }
  Done rename(const std::string& from, const std::string& to) override {
    return as_user(to, [&] { return files_->rename(from, to); });
  }
  Done exchange(const std::string& one, const std::string& other) override {
    return as_user(one, [&] { return files_->exchange(one, other); });
  }
  Done remove(const std::string& path) override {
    return as_user(path, [&] { return files_->remove(path); });
  }
  Done make_directory(const std::string& path, uint32_t mode) override {
    return as_user(path, [&] { return files_->make_directory(path, mode); });
  }
  Done sync(const std::vector<std::string>& paths) override {
    return as_user(paths.empty() ? "" : paths.front(), [&] { return files_->sync(paths); });
  }

 private:
  template <class Call>
  auto as_user(const std::string& path, Call call) const -> decltype(call()) {
    Borrowed rights(rights_);
    if (rights.is_valid()) return call();
    return fail(Code::denied, "use", path,
                "the rights of user " + std::to_string(rights_.user) + " cannot be taken",
                "run it as root");
  }

  // Limits what one command reads of a user's files, so that nobody can fill our memory.
  static constexpr size_t kLargest = 16u << 20;
  static constexpr int64_t kEach = 512;  // counted for every file, even an empty one

  Rights rights_;
  std::unique_ptr<Files> files_;
  mutable std::atomic<int64_t> left_ = 64 << 20;
};

}  // namespace

Rights rights_of(uint32_t user) {
  Rights rights{.user = user, .group = kNoGroup, .groups = {}};
  std::string buffer(kPasswdBuffer, '\0');
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return rights;
  rights.group = found->pw_gid;
  int count = 64;
  rights.groups.resize(static_cast<size_t>(count));
  while (::getgrouplist(found->pw_name, found->pw_gid, rights.groups.data(), &count) < 0 &&
         count <= kMostGroups)
    rights.groups.resize(static_cast<size_t>(count));
  rights.groups.resize(static_cast<size_t>(count));
  return rights;
}

std::optional<uint32_t> user_called(const std::string& name) {
  if (auto number = whole_number<uint32_t>(name)) return number;
  std::string buffer(kPasswdBuffer, '\0');
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return found->pw_uid;
}

std::optional<uint32_t> group_called(const std::string& name) {
  std::string buffer(kPasswdBuffer, '\0');
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return found->gr_gid;
}

bool take_for_good(const Rights& rights) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
         set_groups(rights.groups) &&
         ::syscall(SYS_setresgid, rights.group, rights.group, rights.group) == 0 &&
         ::syscall(SYS_setresuid, rights.user, rights.user, rights.user) == 0 &&
         ::setuid(0) != 0;  // there must be no way back
}

std::unique_ptr<Files> files_seen_by(uint32_t user, const std::string& container) {
  return std::make_unique<FilesOf>(
      user, container.empty() ? std::make_unique<Disk>() : container_files(container));
}

}  // namespace certrebind
