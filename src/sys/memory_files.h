// A file system in memory that forgets at a crash what was not synced: the seam's fake for tests.
//
// It keeps two trees: what running programs see, and what a power failure would leave. Content
// reaches the second by `sync` of the file, directory entries by `sync` of the directory. A crash
// may keep any part of what is pending; `crash` takes the choice as a function.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

class MemoryFiles final : public Files {
 public:
  MemoryFiles();

  // Test set-up: directories are made as needed, everything is durable at once.
  void put(const std::string& path, const std::string& bytes, uint32_t mode = 0644);
  void put_link(const std::string& path, const std::string& target);
  // Somebody writes into the file that is there, as an editor does: through links, keeping the
  // inode.
  void overwrite(const std::string& path, const std::string& bytes);

  // The power fails: for every pending change of a directory entry, in order, `survives` says
  // whether it had reached the disk; content that was not synced is lost (the file is empty).
  void crash(const std::function<bool()>& survives);

  // Whether the file system knows RENAME_EXCHANGE (as NFS and old kernels do not).
  bool can_exchange = true;

  Result<std::string> read(const std::string& path, size_t limit) const override;
  Result<FileInfo> stat(const std::string& path) const override;
  Result<FileInfo> lstat(const std::string& path) const override;
  Result<std::string> read_link(const std::string& path) const override;
  Result<std::string> real_path(const std::string& path) const override;
  Result<std::vector<std::string>> list(const std::string& directory) const override;
  Result<Attributes> attributes(const std::string& path) const override;
  Done create(const std::string& path, const std::string& bytes, const Attributes& attributes,
              std::optional<int64_t> modified_ns) override;
  Done link(const std::string& existing, const std::string& path) override;
  Done symlink(const std::string& target, const std::string& path) override;
  Done rename(const std::string& from, const std::string& to) override;
  Done exchange(const std::string& one, const std::string& other) override;
  Done remove(const std::string& path) override;
  Done make_directory(const std::string& path, uint32_t mode) override;
  Done sync(const std::vector<std::string>& paths) override;

 private:
  struct Node {
    FileInfo info;
    std::string bytes;         // content, or a link's target
    std::string synced_bytes;  // what a crash leaves of it
    Attributes attributes;
  };
  using NodePtr = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePtr>;  // by full path
  // One atomic change: these entries become these nodes (null: gone).
  struct Change {
    std::vector<std::pair<std::string, NodePtr>> entries;
    bool touches(const std::string& directory) const;
  };

  NodePtr make_node(FileKind kind, const std::string& bytes, uint32_t mode);
  void apply(Change change);
  static void write(Entries& tree, const Change& change);
  Result<NodePtr> find(const std::string& doing, const std::string& path) const;
  Result<std::string> resolve(const std::string& path) const;
  Done needs_parent(const std::string& path) const;

  Entries live_;
  Entries durable_;
  std::vector<Change> pending_;
  uint64_t next_inode_ = 1;
  int64_t now_ns_ = 1'700'000'000'000'000'000;
};

}  // namespace certrebind
