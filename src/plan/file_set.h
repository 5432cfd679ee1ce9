// The files that a plan replaces: edits of configuration gathered by file, and bound files built
// anew.
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
  explicit FileSet(const Files& files) : files_(files), way_(files) {}

  // Byte ranges only: everything else in the file stays. The same edit twice is one edit; two
  // different edits of one range, or overlapping ones, are an error.
  Done edit(const std::vector<FileEdit>& edits);

  // Builds the files that `binding` names anew with `new_one`, each in its own form: a combined PEM
  // keeps its order, and blocks that are neither certificate nor key (DH parameters) stay. What
  // lies beside it and belongs to the old certificate alone is replaced or emptied.
  // An error where the certificate's file does not hold what is `expected` (null: anything), or
  // the key's file not its key.
  Done rewrite(const Binding& binding, const NewCertificate& new_one,
               const Thumbprint* expected = nullptr);

  // Puts what was kept of `binding` into its files, byte for byte; but a pair that was kept as two
  // files and is bound as one now, or the other way round, in the form of now. A file that is not
  // there is made. What lies beside it and belongs to another certificate is replaced or emptied.
  Done put_back(const Binding& binding, const KeptPair& pair);

  // What the files would become.
  Result<std::vector<PlannedFile>> finish();

  // The spans that are edited, to see who else uses them.
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
