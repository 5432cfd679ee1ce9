// The last good pairs: for every bound path, the certificate and key last proven to be served from
// it, and the pair before. Two pairs per path, in files of mode 0600 in a directory of mode 0700.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/files.h"
#include "x509/bundle.h"

namespace certrebind {

struct KeptPair {
  Bundle bundle;
  std::string certificate;  // the files, byte for byte
  std::string key;          // empty: the key is in `certificate`
  std::string chain;        // the intermediates, if the binding has a separate file for them
};

// The files of a pair. `key` equals `certificate` for a combined PEM; `chain` may be empty.
struct KeptPaths {
  std::string certificate;
  std::string key;
  std::string chain = {};
  auto operator<=>(const KeptPaths&) const = default;
};

// Stores the current files at these paths, if the certificate is `proven` with its key and is not
// already the newest stored pair.
Done keep_pair(Files& files, const std::string& state_directory, const KeptPaths& paths,
               const Thumbprint& proven);

struct Kept {
  std::vector<KeptPair> pairs;       // newest first
  std::vector<std::string> damaged;  // directories of pairs that are no longer readable
};

// The stored pairs of a bound path.
Result<Kept> kept_pairs(const Files& files, const std::string& state_directory,
                        const std::string& certificate_path);

// Deletes the stored pairs of this certificate, whatever path they were proven at. What cannot be
// read stays.
Done forget_pairs(Files& files, const std::string& state_directory, const Thumbprint& thumbprint);

}  // namespace certrebind
