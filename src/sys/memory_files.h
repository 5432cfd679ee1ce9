// A file system in memory that loses unsynced data in a crash: the fake for tests.
//
// It has two trees: the one that running programs see, and the one that a power failure would
// leave. `sync` of a file copies its content to the second tree. `sync` of a directory copies its
// entries. A crash may keep any part of the pending changes; `crash` takes the choice as a
// function.
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

  // Test set-up. Creates directories as needed; everything is durable at once.
  void put(const std::string& path, const std::string& bytes, uint32_t mode = 0644);
  void put_link(const std::string& path, const std::string& target);
  // Writes into the existing file, as an editor does: follows links and keeps the inode.
  void overwrite(const std::string& path, const std::string& bytes);

  // Simulates a power failure. For each pending change of a directory entry, in order, `survives`
  // says whether it had reached the disk. Unsynced content is lost (the file is empty).
  void crash(const std::function<bool()>& survives);

  // true if the file system supports RENAME_EXCHANGE (NFS and old kernels do not)
  bool can_exchange = true;

  Result<std::string> read(const std::string& path, size_t limit) const override;
  Result<std::string> read_from(const std::string& path, uint64_t offset,
                                size_t limit) const override;
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
    std::string bytes;         // content, or the target of a link
    std::string synced_bytes;  // the content after a crash
    Attributes attributes;
  };
  using NodePtr = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePtr>;  // by full path
  // One atomic change: sets these entries to these nodes (null: removed).
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
