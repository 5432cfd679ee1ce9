// The file system behind an interface. Production code uses the disk (disk.h). Tests use memory
// that loses unsynced data (memory_files.h) and a wrapper that fails on demand (faulty_files.h).
//
// Every call takes absolute paths as bytes. Only `stat`, `real_path` and `read` follow a symbolic
// link in the last component.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

enum class FileKind { regular, directory, symlink, other };

struct FileInfo {
  FileKind kind = FileKind::other;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;        // bytes
  int64_t modified_ns = 0;  // mtime, nanoseconds since the epoch
  int64_t changed_ns = 0;   // ctime: a rename sets it, and no user can set it back
  uint32_t mode = 0;        // permission bits
  uint32_t owner = 0;
  uint32_t group = 0;

  bool same_file(const FileInfo& other) const {
    return device == other.device && inode == other.inode;
  }
};

// The metadata that a replacement file must keep: all but content and times.
struct Attributes {
  uint32_t mode = 0600;
  std::optional<uint32_t> owner;  // unset: the user who creates the file
  std::optional<uint32_t> group;
  std::map<std::string, std::string> extended;  // includes ACLs and the SELinux label
};

class Files {
 public:
  virtual ~Files() = default;

  // The whole content of a regular file. Never blocks on a FIFO. Refuses a directory, a device, or
  // more than `limit` bytes, and the cause says which.
  virtual Result<std::string> read(const std::string& path, size_t limit) const = 0;
  // At most `limit` bytes of a regular file from this offset on, for files that only grow.
  virtual Result<std::string> read_from(const std::string& path, uint64_t offset,
                                        size_t limit) const = 0;
  virtual Result<FileInfo> stat(const std::string& path) const = 0;
  virtual Result<FileInfo> lstat(const std::string& path) const = 0;
  virtual Result<std::string> read_link(const std::string& path) const = 0;
  // Resolves all symbolic links. The file must exist.
  virtual Result<std::string> real_path(const std::string& path) const = 0;
  // The names in a directory without "." and "..", in byte order.
  virtual Result<std::vector<std::string>> list(const std::string& directory) const = 0;
  // Mode, owner, group, ACL and extended attributes of a file. Follows symbolic links.
  virtual Result<Attributes> attributes(const std::string& path) const = 0;

  // Creates a new file. Sets the attributes before writing the content, so that no byte is ever
  // readable without permission. Fails with Code::exists if the path exists. Neither the content
  // nor the entry is durable until `sync`. `modified_ns` sets the mtime; unset: now.
  virtual Done create(const std::string& path, const std::string& bytes,
                      const Attributes& attributes,
                      std::optional<int64_t> modified_ns = std::nullopt) = 0;
  virtual Done link(const std::string& existing, const std::string& path) = 0;
  virtual Done symlink(const std::string& target, const std::string& path) = 0;
  // Replaces `to` atomically.
  virtual Done rename(const std::string& from, const std::string& to) = 0;
  // Swaps two existing entries atomically (renameat2, RENAME_EXCHANGE). Code::unsupported if the
  // file system cannot.
  virtual Done exchange(const std::string& one, const std::string& other) = 0;
  virtual Done remove(const std::string& path) = 0;  // a file, a link or an empty directory
  virtual Done make_directory(const std::string& path, uint32_t mode) = 0;
  // Makes the content of each named file and the entries of each named directory durable. One call
  // for many paths is far cheaper than many calls.
  virtual Done sync(const std::vector<std::string>& paths) = 0;
};

// The extended attribute in which Linux stores an access ACL (acl(5)). Absent if the mode alone
// describes the permissions.
inline constexpr const char* kAccessAcl = "system.posix_acl_access";

// The limits of `read` for configuration files, and for certificates and keys. nginx's largest real
// configurations are a few MB. A PEM chain is a few KB, but servers also accept one with long text
// before or after it.
inline constexpr size_t kConfigLimit = 64u << 20;
inline constexpr size_t kPemLimit = 16u << 20;

}  // namespace certrebind
