// The files on the disk of this machine.
#pragma once

#include "sys/files.h"

namespace certrebind {

class Disk final : public Files {
 public:
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
};

}  // namespace certrebind
