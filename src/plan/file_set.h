// The files that a plan replaces: edits of configuration files, collected by file, and bound files
// with new content.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "service/service.h"
#include "store/kept.h"
#include "survey/identify.h"
#include "sys/safe_way.h"
#include "transaction/planned_file.h"

namespace certrebind {

class FileSet {
 public:
  // The files as `user` sees them, who may be another user than certrebind's.
  explicit FileSet(const Files& files, uint32_t user = own_user())
      : files_(files), way_(files, user) {}

  // Edits replace byte ranges; everything else in the file stays. The same edit twice counts once.
  // Two different edits of one range, or overlapping edits, are an error.
  Done edit(const std::vector<FileEdit>& edits);

  // Builds new content with `new_one` for the files of `binding`, each in its own form. A combined
  // PEM keeps its order. Blocks that are neither certificate nor key (DH parameters) stay. A
  // companion file that belongs only to the old certificate is replaced or emptied.
  // Fails if the certificate's file does not hold `expected` (null: anything), or if the key in the
  // key's file does not match it.
  Done rewrite(const Binding& binding, const NewCertificate& new_one,
               const Thumbprint* expected = nullptr);

  // Restores the kept pair into the files of `binding`, byte for byte. If the pair was kept as two
  // files and is now bound as one, or the other way round, it takes the present form. A missing
  // file is created. A companion file that belongs to another certificate is replaced or emptied.
  Done put_back(const Binding& binding, const KeptPair& pair);

  // The files with their new content.
  Result<std::vector<PlannedFile>> finish();

  // True if this span is edited; used to find other bindings that use it.
  bool edits_span(const Span& span) const;
  bool rewrites_any() const { return !rewritten_.empty(); }
  bool rewrites(const std::string& real_path) const { return rewritten_.contains(real_path); }

 private:
  Done put(PlannedFile file);
  Result<PlannedFile> found_at(const std::string& path);
  Done put_bytes(const std::string& path, std::string bytes, std::string what);
  Done keep_key_to_its_owner(PlannedFile& file) const;
  Done renew(const Companion& companion, const NewCertificate& new_one);
  Done put_back_chain(const NamedFile& chain, const KeptPair& pair);
  Done rewrite_chain(const NamedFile& chain, const NewCertificate& new_one);

  const Files& files_;
  SafeWay way_;  // guards against other users redirecting our writes
  std::map<std::string, std::map<size_t, FileEdit>> edits_;  // by file, by first byte
  std::map<std::string, PlannedFile> rewritten_;             // by real path
};

}  // namespace certrebind
