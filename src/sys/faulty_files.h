// Files that fail on demand. The Nth writing call fails once, or it and all later calls fail, or it
// throws PowerFailure. All other calls go to the underlying files.
#pragma once

#include <cstdlib>
#include <string_view>

#include "sys/files.h"
#include "sys/system_error.h"

namespace certrebind {

// Thrown instead of the fatal write. A test catches it where the process would have died.
struct PowerFailure {};

// How far apart the points of a sweep over all writes are. CERTREBIND_SWEEP=fewest, for slow
// builds: every fifth.
inline int sweep_step() {
  const char* sweep = std::getenv("CERTREBIND_SWEEP");
  return sweep != nullptr && std::string_view(sweep) == "fewest" ? 5 : 1;
}

class FaultyFiles final : public Files {
 public:
  enum class Fault { once, for_ever, power };

  // `nth` counts writing calls from 1; 0 never fails. `number` is the errno of the failure.
  FaultyFiles(Files& beneath, int nth, Fault fault, int number)
      : beneath_(beneath), nth_(nth), fault_(fault), number_(number) {}

  int calls() const { return calls_; }

  Result<std::string> read(const std::string& path, size_t limit) const override {
    return beneath_.read(path, limit);
  }
  Result<std::string> read_from(const std::string& path, uint64_t offset,
                                size_t limit) const override {
    return beneath_.read_from(path, offset, limit);
  }
  Result<FileInfo> stat(const std::string& path) const override { return beneath_.stat(path); }
  Result<FileInfo> lstat(const std::string& path) const override { return beneath_.lstat(path); }
  Result<std::string> read_link(const std::string& path) const override {
    return beneath_.read_link(path);
  }
  Result<std::string> real_path(const std::string& path) const override {
    return beneath_.real_path(path);
  }
  Result<std::vector<std::string>> list(const std::string& directory) const override {
    return beneath_.list(directory);
  }
  Result<Attributes> attributes(const std::string& path) const override {
    return beneath_.attributes(path);
  }
  Done create(const std::string& path, const std::string& bytes, const Attributes& attributes,
              std::optional<int64_t> modified_ns) override {
    if (fails()) return failure("create", path);
    return beneath_.create(path, bytes, attributes, modified_ns);
  }
  Done link(const std::string& existing, const std::string& path) override {
    if (fails()) return failure("link", path);
    return beneath_.link(existing, path);
  }
  Done symlink(const std::string& target, const std::string& path) override {
    if (fails()) return failure("link", path);
    return beneath_.symlink(target, path);
  }
  Done rename(const std::string& from, const std::string& to) override {
    if (fails()) return failure("rename", from);
    return beneath_.rename(from, to);
  }
  Done exchange(const std::string& one, const std::string& other) override {
    if (fails()) return failure("exchange", one);
    return beneath_.exchange(one, other);
  }
  Done remove(const std::string& path) override {
    if (fails()) return failure("remove", path);
    return beneath_.remove(path);
  }
  Done make_directory(const std::string& path, uint32_t mode) override {
    if (fails()) return failure("create", path);
    return beneath_.make_directory(path, mode);
  }
  Done sync(const std::vector<std::string>& paths) override {
    if (fails()) return failure("sync", paths.empty() ? "" : paths.front());
    return beneath_.sync(paths);
  }

 private:
  bool fails() {
    ++calls_;
    if (nth_ == 0 || calls_ < nth_) return false;
    if (fault_ == Fault::power) throw PowerFailure{};
    return fault_ == Fault::for_ever || calls_ == nth_;
  }
  Done failure(const char* doing, const std::string& path) const {
    return system_failure(number_, doing, path);
  }

  Files& beneath_;
  int nth_;
  Fault fault_;
  int number_;
  int calls_ = 0;
};

}  // namespace certrebind
